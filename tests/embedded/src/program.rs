//! A report as a program: of a microcontroller, or of the host.

/// The program that prints a report.
#[macro_export]
macro_rules! program {
    ($report:path) => {
        #[cfg(all(target_arch = "arm", target_os = "none"))]
        #[cortex_m_rt::entry]
        fn main() -> ! {
            $crate::device::run($report)
        }

        #[cfg(not(all(target_arch = "arm", target_os = "none")))]
        fn main() -> Result<(), topk_loss::Error> {
            $report(&mut |line| println!("{line}"))
        }
    };
}
