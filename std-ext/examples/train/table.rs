//! The results as a table, in per cent.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::outcome::Outcome;

pub fn table(outcomes: &[Outcome], k: usize) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "loss".into(),
        "macro top-1".into(),
        format!("macro top-{k}"),
        "many".into(),
        "medium".into(),
        "few".into(),
        "highest\noccupancy".into(),
        "occupancy of\nmost frequent".into(),
        "seconds".to_string(),
    ]);
    for outcome in outcomes {
        let group = |i: usize| outcome.over_seeds(|run| run.last.group_accuracies[i]).to_string();
        let seconds = outcome.over_seeds(|run| Some(run.duration.as_secs_f64()));
        table.add_row([
            outcome.method.name().into(),
            outcome.over_seeds(|run| Some(run.macro_top_1)).to_string(),
            outcome.macro_accuracy().to_string(),
            group(0),
            group(1),
            group(2),
            outcome.highest_occupancy().to_string(),
            outcome.over_seeds(|run| Some(run.last.occupancies[run.ranking[0]])).to_string(),
            format!("{:.2}", seconds.mean),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
