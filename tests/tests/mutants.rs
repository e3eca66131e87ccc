//! The kit finds faults: every planted one is refuted by the law that is meant for it, which the correct original passes.
//!
//! `cargo test -p topk-loss-laws --test mutants -- --nocapture` prints the table with what each law says.

#[path = "mutants/contracts.rs"]
mod contracts;
#[path = "mutants/estimators.rs"]
mod estimators;
#[path = "mutants/gradients.rs"]
mod gradients;
#[path = "mutants/noise.rs"]
mod noise;
#[path = "mutants/oracles.rs"]
mod oracles;
#[path = "mutants/plant.rs"]
mod plant;
#[path = "mutants/values.rs"]
mod values;

use plant::Row;

#[test]
fn every_fault_is_found_by_the_law_meant_for_it() {
    let rows: Vec<Row> = [contracts::rows(), gradients::rows(), values::rows(), oracles::rows(), estimators::rows(), noise::rows()]
        .into_iter()
        .flatten()
        .collect();
    assert!(rows.len() >= 40);
    let wrong: Vec<String> = rows.iter().filter_map(Row::complaint).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
