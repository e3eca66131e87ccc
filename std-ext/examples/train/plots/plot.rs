//! Lines over an axis, drawn as an SVG file.

use std::path::Path;

use anyhow::{Context, Result};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 540);

/// A name, and shares over the axis.
pub struct Line {
    pub name: String,
    /// To be shown in per cent.
    pub points: Vec<(f64, f64)>,
}

/// Lines over an axis from 1.
pub struct Plot<'a> {
    pub title: String,
    pub x_label: &'a str,
    pub y_label: String,
    pub x_format: &'a dyn Fn(&f64) -> String,
    pub legend: SeriesLabelPosition,
    pub lines: Vec<Line>,
}

impl Plot<'_> {
    /// Writes it into a file.
    pub fn draw<Y>(self, path: &Path, y: Y) -> Result<()>
    where
        Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    {
        let last = self.lines.iter().flat_map(|line| &line.points).fold(1.0, |last: f64, point| last.max(point.0));
        let root = SVGBackend::new(path, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, ("sans-serif", 22))
            .margin(16)
            .x_label_area_size(48)
            .y_label_area_size(60)
            .build_cartesian_2d(1.0..last, y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 16))
            .x_desc(self.x_label)
            .x_label_formatter(self.x_format)
            .y_desc(self.y_label)
            .y_label_formatter(&|y| y.to_string())
            .draw()?;
        for (Line { name, points }, colour) in self.lines.into_iter().zip(PALETTE.iter().cycle()) {
            let style = colour.stroke_width(2).filled();
            let points = points.into_iter().map(|(x, share)| (x, 100.0 * share));
            let legend = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style);
            chart.draw_series(LineSeries::new(points, style).point_size(2))?.label(name).legend(legend);
        }
        chart
            .configure_series_labels()
            .position(self.legend)
            .label_font(("sans-serif", 15))
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Okabe and Ito's palette, which the colour-blind can tell apart, with a grey.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0x99, 0x99, 0x99),
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xF0, 0xE4, 0x42),
];
