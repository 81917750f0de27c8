//! One screen of `watch`: steps, weights, bake and what comes next; every rule's evidence beside its limit; the latest decisions.

use mpac_deploy_core::decision::Decision;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::super::standing::{Rule, Standing};
use crate::demo::standing::Step;
use crate::words::{self, Tone};

/// What stands before a value.
const LABEL: usize = 10;

/// The cells of a gauge of evidence, the last of which is the limit.
const GAUGE: usize = 14;

/// From this part of its limit on, a rule is worth a look.
const NEAR: f64 = 0.7;

/// Decisions that are always shown: how it came to where it is.
const FEWEST_DECISIONS: u16 = 4;

pub(super) fn draw(frame: &mut Frame<'_>, standing: &Standing, told: &[Decision]) {
    let head = head(standing, usize::from(frame.area().width));
    let rules: Vec<Line<'_>> = rules(standing);
    let height = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    // Each of the two lists has a line with its name.
    let [above, evidence, decisions, below] = Layout::vertical([
        Constraint::Length(height(head.len())),
        Constraint::Max(height(rules.len()).saturating_add(1)),
        Constraint::Min(FEWEST_DECISIONS + 1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head), above);
    list(frame, evidence, " Evidence beside its limit ", rules);
    list(frame, decisions, " Decisions, the latest first ", told.iter().rev().map(decision).collect());
    let foot = format!(" q leaves, the rollout goes on   {}", words::moment(standing.at));
    frame.render_widget(Line::from(foot).dim(), below);
}

fn list(frame: &mut Frame<'_>, area: Rect, title: &'static str, lines: Vec<Line<'_>>) {
    let block = Block::new().borders(Borders::TOP).border_style(Style::new().dim()).title(title);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn head(standing: &Standing, width: usize) -> Vec<Line<'_>> {
    let Standing { service, from, revision, record, rollout, .. } = standing;
    let mut lines = vec![
        Line::from(vec![
            Span::from(format!(" {service} {from} → ")).bold(),
            Span::from(revision.as_str()).bold(),
            format!(" on {record}   ").into(),
            Span::from(rollout.as_str()).dim(),
        ]),
        Line::from(standing.steps.iter().flat_map(step).collect::<Vec<_>>()),
        Line::default(),
        weights(standing, width),
        now(standing, width),
    ];
    let when = standing.next_at.map(|at| {
        let left = words::span(at.since(standing.at));
        format!(", not before {}, in {left}", words::clock(at))
    });
    if !standing.next.is_empty() {
        lines.push(labelled("next", format!("{}{}", standing.next, when.unwrap_or_default()).into()));
    }
    if let Some(paused) = &standing.paused {
        let why = format!("by {}: {}", paused.by, paused.why);
        lines.push(labelled("paused", Span::from(why).yellow()));
    }
    lines.push(Line::default());
    lines
}

fn labelled<'a>(label: &str, value: Span<'a>) -> Line<'a> {
    Line::from(vec![Span::from(format!(" {label:<LABEL$}")).dim(), value])
}

fn step((name, step): &(String, Step)) -> [Span<'static>; 1] {
    [match step {
        Step::Done => Span::from(format!(" ✓ {name} ")).green(),
        Step::Running => Span::from(format!(" ● {name} ")).cyan().bold(),
        Step::Ahead => Span::from(format!(" · {name} ")).dim(),
        Step::TakenBack => Span::from(format!(" ✗ {name} ")).red().bold(),
    }]
}

/// Both sides' weights as parts of one bar, each with its number where there is room.
fn weights(standing: &Standing, width: usize) -> Line<'static> {
    let (blue, green) = (usize::from(standing.weights.blue), usize::from(standing.weights.green));
    let room = width.saturating_sub(LABEL + 2);
    let of_blue = (room * blue).checked_div(blue + green).unwrap_or(room);
    // A side that has traffic is seen, however little it is.
    let of_blue = of_blue.max(usize::from(blue > 0)).min(room.saturating_sub(usize::from(green > 0)));
    let part = |word: &str, weight: usize, cells: usize, colour| {
        let text = format!(" {word} {weight}");
        let text = if text.len() < cells { text } else { String::new() };
        Span::styled(
            format!("{text:<cells$}"),
            Style::new().bg(colour).fg(Color::Black).add_modifier(Modifier::BOLD),
        )
    };
    Line::from(vec![
        Span::from(format!(" {:<LABEL$}", "weights")).dim(),
        part("blue", blue, of_blue, Color::Blue),
        part("green", green, room - of_blue, Color::Green),
    ])
}

fn now(standing: &Standing, width: usize) -> Line<'static> {
    let doing = standing.outcome.as_ref().unwrap_or(&standing.doing).clone();
    if standing.awaits_approval.is_some() {
        return labelled("now", Span::from(doing).yellow().bold());
    }
    let Some(bake) = &standing.bake else { return labelled("now", Span::from(doing).bold()) };
    let room = width / 3;
    let share = f64::from(bake.counted.min(bake.needed)) / f64::from(bake.needed.max(1));
    let [full, empty] = bar(share, room);
    Line::from(vec![
        Span::from(format!(" {:<LABEL$}", "now")).dim(),
        full.cyan(),
        empty.dim(),
        Span::from(format!("  {doing}")).bold(),
    ])
}

/// So much of so many cells.
fn bar(share: f64, cells: usize) -> [Span<'static>; 2] {
    let is_full =
        |cell: &usize| (f64::from(u32::try_from(*cell).unwrap_or(u32::MAX)) + 0.5) < share * cells_of(cells);
    let full = (0..cells).filter(is_full).count();
    ["━".repeat(full).into(), "─".repeat(cells - full).into()]
}

fn cells_of(cells: usize) -> f64 {
    f64::from(u32::try_from(cells).unwrap_or(u32::MAX))
}

fn rules(standing: &Standing) -> Vec<Line<'_>> {
    let rules = standing.rules_by_weight();
    if rules.is_empty() {
        return vec![Line::from(" none yet: green has had no whole minute of traffic").dim()];
    }
    let width = rules.iter().map(|rule| rule.id.chars().count()).max().unwrap_or(0);
    rules.into_iter().map(|rule| line_of(rule, width)).collect()
}

fn line_of(rule: &Rule, width: usize) -> Line<'_> {
    let mark = match (rule.is_bad(), rule.kind) {
        (false, _) => Span::from(" ✓ ").green(),
        (true, "gate") => Span::from(" · ").yellow(),
        (true, _) => Span::from(" ✗ ").red().bold(),
    };
    let mut spans = vec![
        mark,
        Span::from(format!("{:<8}", rule.kind)).dim(),
        Span::from(format!("{:<width$}  ", rule.id)).bold(),
    ];
    spans.extend(gauge(rule.used));
    spans.push(Span::from(words::without_days(&rule.reason)).dim());
    Line::from(spans)
}

/// The part of the limit that is used up.
fn gauge(used: Option<f64>) -> [Span<'static>; 3] {
    let Some(used) = used else {
        return [Span::default(), Span::default(), format!("{:w$}", "", w = GAUGE + 9).into()];
    };
    let colour = match used {
        used if used >= 1.0 => Color::Red,
        used if used >= NEAR => Color::Yellow,
        _ => Color::Green,
    };
    let [full, empty] = bar(used.min(1.0), GAUGE);
    let percent = format!("{:.0} %", (used * 100.0).min(999.0));
    [full.fg(colour), empty.dim(), format!(" {percent:>6}  ").into()]
}

fn decision(decision: &Decision) -> Line<'_> {
    let colour = match words::tone(decision.kind) {
        Tone::Good => Color::Green,
        Tone::Notice => Color::Yellow,
        Tone::Bad => Color::Red,
        Tone::Plain => Color::Cyan,
    };
    let reason = words::without_days(&decision.reason);
    let (first, _) = words::parts(&reason);
    let rule = decision.rule.as_ref().map(|rule| format!("{rule} ")).unwrap_or_default();
    Line::from(vec![
        Span::from(format!(" {}  ", words::clock(decision.at))).dim(),
        format!("{:<7} ", decision.stage.as_deref().unwrap_or_default()).into(),
        Span::from(format!("{:<15}", words::kind(decision.kind))).fg(colour),
        Span::from(rule).bold(),
        first.to_owned().into(),
    ])
}

#[cfg(test)]
mod tests;
