//! The kernels, compiled for this machine's processor with threads and barriers in place of a block, against core.

mod shim {
    mod batch;
    mod blocks;
    mod cases;
    mod convex;
    mod cross_entropies;
    mod driver;
    mod exact;
    mod families;
    mod faults;
    mod hinges;
    mod parts;
}
