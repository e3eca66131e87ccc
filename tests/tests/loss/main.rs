//! Losses, one file each: the definition once more, extremes, what is around them.

mod class_weighted;
mod class_weights;
mod compositions;
mod config;
mod convex;
mod cross_entropy;
mod fenchel_young;
mod focal;
mod hinge;
mod hinge_extremes;
mod ldam;
mod logit_adjusted;
mod many_classes;
mod margins;
mod masked_classes;
mod mean_of_hinge;
mod smooth_losses;
mod smooth_top_k_svm;
mod smoothed_loss;
mod soft_label;
mod top_k_cross_entropy;
mod top_k_cross_entropy_extremes;
mod top_k_cross_entropy_quadrature;
mod top_k_hinges;
mod top_k_svm;
