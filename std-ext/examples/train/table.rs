//! Writes the results as tables.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::outcome::{Outcome, Statistic};
use crate::study::guesses;
use crate::target::Target;

/// Losses compared.
pub fn of_losses(outcomes: &[Outcome], k: usize) -> Table {
    let header = [
        "loss".into(),
        "macro top-1".into(),
        format!("macro top-{k}"),
        "many".into(),
        "medium".into(),
        "few".into(),
        "highest\noccupancy".into(),
        "occupancy of\nmost frequent".into(),
        "seconds".into(),
    ];
    let rows = outcomes.iter().map(|outcome| {
        let group = |i: usize| outcome.over_seeds(|run| run.last.group_accuracies[i]).per_cent().to_string();
        [
            outcome.method.name.into(),
            outcome.over_seeds(|run| Some(run.macro_accuracies[0])).per_cent().to_string(),
            outcome.macro_accuracy().per_cent().to_string(),
            group(0),
            group(1),
            group(2),
            outcome.highest_occupancy().per_cent().to_string(),
            outcome.over_seeds(|run| Some(run.last.occupancies[run.ranking[0]])).per_cent().to_string(),
            format!("{:.2}", outcome.seconds().mean),
        ]
    });
    table(header, rows)
}

/// All losses compared.
pub fn of_all(outcomes: &[Outcome], k: usize) -> Table {
    let [one, half, all] = guesses(k).map(|guesses| format!("macro top-{guesses}"));
    let header = ["loss".into(), one, half, all, format!("few-shot\ntop-{k}"), "highest\noccupancy".into(), "milliseconds\na step".into()];
    let rows = outcomes.iter().map(|outcome| {
        let accuracy = |i: usize| outcome.over_seeds(|run| Some(run.macro_accuracies[i])).per_cent().to_string();
        [
            outcome.method.name.into(),
            accuracy(0),
            accuracy(1),
            accuracy(2),
            outcome.few_shot().per_cent().to_string(),
            outcome.highest_occupancy().per_cent().to_string(),
            format!("{:.2}", outcome.milliseconds_a_step().mean),
        ]
    });
    table(header, rows)
}

/// Estimators of one loss compared; the last one is what the others are held against.
pub fn of_estimators(outcomes: &[Outcome], k: usize) -> Table {
    let target = Target::of(outcomes);
    let last = &outcomes[outcomes.len() - 1];
    let header = [
        "estimator".into(),
        format!("macro top-{k}"),
        "lowest\nseed".into(),
        format!("{}\nabove it", last.settings.estimator),
        format!("epochs to\n{:.1} %", 100.0 * target.0),
        "seconds".into(),
    ];
    let rows = outcomes.iter().map(|outcome| {
        let lead: Statistic = last.above(outcome).collect();
        let lowest = outcome.runs.iter().map(|run| run.last.macro_accuracy).fold(f64::INFINITY, f64::min);
        let epochs = match target.epochs(outcome) {
            (epochs, reached) if reached == outcome.runs.len() => epochs.to_string(),
            (epochs, reached) => format!("{epochs} ({reached} of {})", outcome.runs.len()),
        };
        [
            outcome.settings.estimator.to_string(),
            outcome.macro_accuracy().per_cent().to_string(),
            format!("{:.1}", 100.0 * lowest),
            if core::ptr::eq(outcome, last) { "–".into() } else { lead.per_cent().to_string() },
            epochs,
            format!("{:.2}", outcome.seconds().mean),
        ]
    });
    table(header, rows)
}

fn table<const COLUMNS: usize>(header: [String; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header).add_rows(rows);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
