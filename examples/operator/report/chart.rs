//! Charts as SVG.

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::time::Timestamp;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::{self, Ink};
use super::series::{Chart, Segment};
use super::story::Story;

/// A size of a chart: each is drawn for wide windows and again for narrow ones, so that its text stays legible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// The name of its style class.
    pub(super) class: &'static str,
    width: u32,
    height: u32,
    font: u32,
    /// The most labels on the time axis.
    ticks: i64,
}

pub(super) const SIZES: [Size; 2] = [
    Size { class: "wide", width: 960, height: 230, font: 13, ticks: 12 },
    Size { class: "narrow", width: 380, height: 210, font: 12, ticks: 4 },
];

/// A chart that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a chart cannot be drawn: {0}")]
pub(super) struct DrawError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for DrawError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

/// From 0 to `end`, with labels at `ticks`.
struct Axis {
    end: f64,
    ticks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    #[allow(clippy::cast_possible_truncation, reason = "a share of the pixels of a chart")]
    fn map(&self, value: &f64, (low, high): (i32, i32)) -> i32 {
        low + (f64::from(high - low) * value / self.end).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.end
    }
}

type Canvas<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Both sides over time against their limits.
pub(super) fn lines(story: &Story, chart: &Chart, size: Size) -> Result<String, DrawError> {
    let top = headroom(chart);
    draw(
        story,
        size,
        top,
        chart.unit,
        |canvas| bands(canvas, story, top),
        |canvas| {
            let shown: Vec<_> = chart.limits.iter().filter(|limit| limit.value < top).collect();
            for (index, limit) in shown.iter().enumerate() {
                let ink = palette::of_limit(limit.kind);
                let line = [(0.0, limit.value), (length(story), limit.value)];
                canvas.draw_series(DashedLineSeries::new(line, 5, 4, ink.rgb().stroke_width(1)))?;
                // Labels that would lie on each other: the legend has them all.
                let free =
                    shown.iter().skip(index + 1).all(|other| (other.value - limit.value).abs() > top / 9.0);
                if free {
                    // At the left, where a rollout has not gone wrong yet, nothing runs through it.
                    text(canvas, size, (0.0, limit.value), &limit.text, ink, HPos::Left, VPos::Bottom)?;
                }
            }
            for (segments, ink, width) in [(&chart.blue, palette::BLUE, 1), (&chart.green, palette::GREEN, 2)]
            {
                for segment in segments {
                    polyline(canvas, story, segment, ink, width)?;
                }
            }
            Ok(())
        },
    )
}

/// Who gets how much of the traffic.
pub(super) fn weights(story: &Story, size: Size) -> Result<String, DrawError> {
    let areas = |canvas: &mut Canvas<'_, '_>| {
        let ends = story.weights.iter().skip(1).map(|(time, _)| *time).chain([story.to]);
        for ((from, weights), to) in story.weights.iter().zip(ends) {
            let (x0, x1, share) = (minutes(story, *from), minutes(story, to), green_share(*weights));
            let area =
                |y0, y1, ink: Ink, mix| Rectangle::new([(x0, y0), (x1, y1)], ink.rgb().mix(mix).filled());
            canvas.draw_series([
                area(0.0, share, palette::GREEN, 0.5),
                area(share, 100.0, palette::BLUE, 0.22),
            ])?;
        }
        Ok(())
    };
    draw(story, size, 100.0, "%", areas, |_| Ok(()))
}

/// Green's share in percent. Two zeros, which somebody else may have set, are an equal split.
fn green_share(weights: ObservedWeights) -> f64 {
    let (blue, green) = (f64::from(weights.blue), f64::from(weights.green));
    if blue + green > 0.0 { 100.0 * green / (blue + green) } else { 50.0 }
}

fn draw(
    story: &Story,
    size: Size,
    top: f64,
    unit: &str,
    background: impl FnOnce(&mut Canvas<'_, '_>) -> Result<(), DrawError>,
    content: impl FnOnce(&mut Canvas<'_, '_>) -> Result<(), DrawError>,
) -> Result<String, DrawError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (size.width, size.height)).into_drawing_area();
        let ticks = time_ticks(story, size.ticks).iter().map(|tick| minutes(story, *tick)).collect();
        let mut canvas = ChartBuilder::on(&root)
            .margin_top(22)
            .margin_right(10)
            .x_label_area_size(24)
            .y_label_area_size(58)
            .build_cartesian_2d(
                Axis { end: length(story), ticks },
                Axis { end: top, ticks: value_ticks(top) },
            )?;
        background(&mut canvas)?;
        canvas
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(palette::LINE.rgb())
            .axis_style(palette::LINE.rgb())
            .label_style(("sans-serif", size.font, &palette::MUTED.rgb()))
            .x_label_formatter(&|x| clock(story, *x))
            .y_label_formatter(&|y| amount(*y, unit))
            .draw()?;
        content(&mut canvas)?;
        marks(&mut canvas, story, size, top)?;
        root.present()?;
    }
    // Inside HTML an SVG needs no name space, and a page without any address is easy to prove harmless.
    Ok(svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", " aria-hidden=\"true\"", 1))
}

/// Every second stage lies on a band.
fn bands(canvas: &mut Canvas<'_, '_>, story: &Story, top: f64) -> Result<(), DrawError> {
    for stage in story.stages.iter().step_by(2) {
        let corners = [(minutes(story, stage.from), 0.0), (minutes(story, stage.to), top)];
        canvas.draw_series([Rectangle::new(corners, palette::BAND.rgb().filled())])?;
    }
    Ok(())
}

/// The stages' names, the alerts, and where the rollout was taken back.
fn marks(canvas: &mut Canvas<'_, '_>, story: &Story, size: Size, top: f64) -> Result<(), DrawError> {
    for stage in &story.stages {
        let (from, to) = (minutes(story, stage.from), minutes(story, stage.to));
        let width = (to - from) / length(story) * f64::from(size.width);
        // A name that is wider than its stage would run into the next one.
        if width > 8.0 * f64::from(u32::try_from(stage.name.len()).unwrap_or(u32::MAX)) {
            text(
                canvas,
                size,
                (f64::midpoint(from, to), top),
                &stage.name,
                palette::MUTED,
                HPos::Center,
                VPos::Bottom,
            )?;
        }
    }
    for decision in &story.decisions {
        let x = minutes(story, decision.at);
        if decision.kind == DecisionKind::Alert {
            canvas.draw_series([Circle::new((x, 0.0), 4, palette::ALERT.rgb().filled())])?;
        }
        if decision.kind == DecisionKind::Rollback {
            let line = palette::TRIGGER.rgb().stroke_width(2);
            canvas.draw_series([PathElement::new([(x, 0.0), (x, top)], line)])?;
        }
    }
    Ok(())
}

fn polyline(
    canvas: &mut Canvas<'_, '_>,
    story: &Story,
    segment: &Segment,
    ink: Ink,
    width: u32,
) -> Result<(), DrawError> {
    let points: Vec<_> = segment.iter().map(|(time, value)| (minutes(story, *time), *value)).collect();
    if let [lonely] = points.as_slice() {
        canvas.draw_series([Circle::new(*lonely, 2, ink.rgb().filled())])?;
    } else {
        canvas.draw_series(LineSeries::new(points, ink.rgb().stroke_width(width)))?;
    }
    Ok(())
}

fn text(
    canvas: &mut Canvas<'_, '_>,
    size: Size,
    at: (f64, f64),
    words: &str,
    ink: Ink,
    horizontal: HPos,
    vertical: VPos,
) -> Result<(), DrawError> {
    let style = ("sans-serif", size.font).into_font().color(&ink.rgb()).pos(Pos::new(horizontal, vertical));
    canvas.draw_series([Text::new(words.to_owned(), at, style)])?;
    Ok(())
}

/// Room for what was measured and for the lowest limit.
fn headroom(chart: &Chart) -> f64 {
    let lowest = chart.limits.iter().map(|limit| limit.value).filter(|value| *value > 0.0).reduce(f64::min);
    let top = (chart.max() * 1.15).max(lowest.map_or(0.0, |lowest| lowest * 1.25));
    if top > 0.0 { top } else { 1.0 }
}

/// Minutes since the story began.
#[allow(clippy::cast_precision_loss, reason = "milliseconds of some weeks are far below 2^53")]
fn minutes(story: &Story, time: Timestamp) -> f64 {
    let time = time.clamp(story.from, story.to);
    (time.as_millis() - story.from.as_millis()) as f64 / 60_000.0
}

fn length(story: &Story) -> f64 {
    minutes(story, story.to).max(1.0)
}

/// Round times of day, at most so many.
fn time_ticks(story: &Story, most: i64) -> Vec<Timestamp> {
    const STEPS: [i64; 13] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440];
    let (from, to) = (story.from.as_millis() / 60_000, story.to.as_millis() / 60_000);
    let days = (to - from) / 1440 / most + 1;
    let step = STEPS.iter().copied().find(|step| (to - from) / step <= most).unwrap_or(days * 1440);
    let first = from.div_euclid(step) * step;
    let minutes = (0..).map(|index| first + index * step).skip_while(|minute| *minute < from);
    minutes.take_while(|minute| *minute <= to).map(|minute| Timestamp::from_millis(minute * 60_000)).collect()
}

/// Four or five round values.
fn value_ticks(top: f64) -> Vec<f64> {
    let rough = top / 4.0;
    let magnitude = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|factor| factor * magnitude).find(|step| *step >= rough);
    let step = step.unwrap_or(top);
    (0..=5).map(|index| f64::from(index) * step).take_while(|value| *value <= top).collect()
}

#[allow(clippy::cast_possible_truncation, reason = "minutes of a chart are small")]
fn clock(story: &Story, minute: f64) -> String {
    let time =
        Timestamp::from_millis(story.from.as_millis() + (minute * 60_000.0).round() as i64).to_string();
    let long = length(story) > 2.0 * 1440.0;
    let range = if long { 5..10 } else { 11..16 };
    time.get(range).unwrap_or(&time).to_owned()
}

fn amount(value: f64, unit: &str) -> String {
    let number = if value >= 10_000.0 { format!("{}k", short(value / 1000.0)) } else { short(value) };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
