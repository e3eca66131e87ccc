//! Hinge of the mean, mean of the hinge.
