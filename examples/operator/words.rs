//! Decisions for people at a terminal.

use std::fmt::Write as _;

use console::{Style, style};
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::time::Timestamp;

/// Colours only where they are wanted: <https://no-color.org>.
pub(crate) fn respect_no_color() {
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        console::set_colors_enabled(false);
        console::set_colors_enabled_stderr(false);
    }
}

/// `09:15:00`: the day stands in the heading.
pub(crate) fn clock(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('T').map_or_else(|| text.clone(), |(_, clock)| clock.trim_end_matches('Z').to_owned())
}

/// `1 h 45 min`, `45 s`.
pub(crate) fn span(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// What a decision is, in words.
pub(crate) fn kind(kind: DecisionKind) -> String {
    kind.as_str().replace('_', " ")
}

/// How serious a decision is, for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Towards green.
    Good,
    /// Something to look at.
    Notice,
    /// Back to blue.
    Bad,
    /// A step on the way.
    Plain,
}

pub(crate) const fn tone(kind: DecisionKind) -> Tone {
    match kind {
        DecisionKind::Promote | DecisionKind::Complete | DecisionKind::Retired => Tone::Good,
        DecisionKind::Alert | DecisionKind::Hold | DecisionKind::Pause | DecisionKind::Retry => Tone::Notice,
        DecisionKind::Rollback | DecisionKind::RolledBack | DecisionKind::Abandoned => Tone::Bad,
        DecisionKind::Start
        | DecisionKind::Prepared
        | DecisionKind::Shift
        | DecisionKind::Bake
        | DecisionKind::Decommission
        | DecisionKind::AlertCleared
        | DecisionKind::HoldReleased
        | DecisionKind::Resume
        | _ => Tone::Plain,
    }
}

fn colour(tone: Tone) -> Style {
    match tone {
        Tone::Good => Style::new().green(),
        Tone::Notice => Style::new().yellow(),
        Tone::Bad => Style::new().red(),
        Tone::Plain => Style::new().cyan(),
    }
}

/// A decision: one line, and one more for each part of its reason.
pub(crate) fn decision(decision: &Decision) -> String {
    let at = decision.evidence_end.unwrap_or(decision.at);
    let stage = decision.stage.as_deref().unwrap_or("");
    let rule = decision.rule.as_deref().unwrap_or("");
    let (first, rest) = parts(&decision.reason);
    let mut text = String::new();
    let what = colour(tone(decision.kind)).apply_to(format!("{:<13}", kind(decision.kind)));
    // Writing to a `String` cannot fail.
    let _ = write!(text, "  {}  {stage:<7} {what} ", style(clock(at)).dim());
    if !rule.is_empty() {
        let _ = write!(text, "{} ", style(rule).bold());
    }
    let _ = writeln!(text, "{first}");
    for part in rest {
        let _ = writeln!(text, "{:33}{}", "", style(part).dim());
    }
    text
}

/// A reason and what it consists of.
pub(crate) fn parts(reason: &str) -> (&str, Vec<&str>) {
    let mut parts = reason.split("; ");
    (parts.next().unwrap_or(reason), parts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_span_is_short() {
        for (seconds, text) in [(45, "45 s"), (60, "1 min"), (90, "1 min 30 s"), (3600, "1 h"), (6300, "1 h 45 min")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_reason_falls_into_its_parts() {
        assert_eq!(parts("all 2 gates hold; a: 1; b: 2"), ("all 2 gates hold", vec!["a: 1", "b: 2"]));
    }
}
