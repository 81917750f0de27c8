//! Decisions for people at a terminal.

use std::fmt::Write as _;

use console::{Style, Term, style};
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
    time.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// `2026-01-28 09:15:00`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.to_string().trim_end_matches('Z').replace('T', " ")
}

/// A text with the times of day in place of the times, which name the day again and again.
pub(crate) fn without_days(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_matches(['(', ')', ';', ',', '.']);
        Timestamp::parse(bare).map_or_else(|_| word.to_owned(), |time| word.replace(bare, &clock(time)))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `1 h 45 min`, `45 s`.
pub(crate) fn span(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, 0) => "less than a second".into(),
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
        DecisionKind::Promote | DecisionKind::Complete | DecisionKind::Retired | DecisionKind::Approve => {
            Tone::Good
        }
        DecisionKind::Alert
        | DecisionKind::Hold
        | DecisionKind::Pause
        | DecisionKind::Retry
        | DecisionKind::AwaitApproval => Tone::Notice,
        DecisionKind::Rollback | DecisionKind::RolledBack | DecisionKind::Abandoned => Tone::Bad,
        DecisionKind::Start
        | DecisionKind::Prepared
        | DecisionKind::Shift
        | DecisionKind::InSync
        | DecisionKind::ReadBack
        | DecisionKind::Bake
        | DecisionKind::Share
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

/// The room for what stands before a reason.
const INDENT: usize = 33;

/// A decision: one line, and one more for each part of its reason, wrapped where a terminal shows it.
pub(crate) fn decision(decision: &Decision) -> String {
    let reason = without_days(&decision.reason);
    let (_, rest) = parts(&reason);
    let mut text = decision_line(decision);
    text.push('\n');
    for part in rest {
        for line in for_terminal(part, INDENT) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{:INDENT$}{}", "", style(line).dim());
        }
    }
    text
}

/// The first line of a decision: when, where, what, by which rule, and why in short.
pub(crate) fn decision_line(decision: &Decision) -> String {
    let stage = decision.stage.as_deref().unwrap_or("");
    let rule = decision.rule.as_ref().map_or_else(String::new, |rule| format!("{} ", style(rule).bold()));
    let reason = without_days(&decision.reason);
    let (first, _) = parts(&reason);
    let what = colour(tone(decision.kind)).apply_to(format!("{:<13}", kind(decision.kind)));
    format!("  {}  {stage:<7} {what} {rule}{first}", style(clock(decision.at)).dim())
}

/// A text in lines that fit behind an indentation where a terminal shows it, in one line elsewhere.
pub(crate) fn for_terminal(text: &str, indent: usize) -> Vec<String> {
    let term = Some(Term::stdout()).filter(|term| term.features().is_attended());
    let width = term.map_or(usize::MAX, |term| usize::from(term.size().1));
    wrapped(text, width.saturating_sub(indent))
}

/// A text in lines of at most so many characters, unless a word is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
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
        for (seconds, text) in [
            (0, "less than a second"),
            (45, "45 s"),
            (60, "1 min"),
            (90, "1 min 30 s"),
            (3600, "1 h"),
            (6300, "1 h 45 min"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_time_in_a_reason_loses_its_day() {
        let text = "2 of 3 (2026-01-28T09:00:00Z to 2026-01-28T09:05:00Z); x";
        assert_eq!(without_days(text), "2 of 3 (09:00:00 to 09:05:00); x");
        assert_eq!(without_days("a  b"), "a  b");
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("immense", 3), ["immense"]);
    }

    #[test]
    fn a_reason_falls_into_its_parts() {
        assert_eq!(parts("all 2 gates hold; a: 1; b: 2"), ("all 2 gates hold", vec!["a: 1", "b: 2"]));
    }
}
