//! What a plan says: sections of lines, each a fact or something to do about.

use std::fmt::Write as _;

use console::style;
use serde::Serialize;

use crate::aws::Unread;
use crate::words;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// It is so.
    Fact,
    /// It is so, and worth a look.
    Warning,
    /// A rollout would not begin, or not get far.
    Stops,
    /// The credentials do not allow it.
    Denied,
    /// Nobody answered.
    Unreached,
}

#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

/// The whole plan.
#[derive(Debug, Default, Serialize)]
pub(super) struct Page {
    /// Whether a rollout would begin.
    pub(super) ready: bool,
    pub(super) sections: Vec<Section>,
}

impl Section {
    pub(super) const fn new(title: &'static str) -> Self {
        Self { title, lines: Vec::new() }
    }

    fn add(&mut self, kind: Kind, text: impl Into<String>) {
        self.lines.push(Line { kind, text: text.into() });
    }

    pub(super) fn fact(&mut self, text: impl Into<String>) {
        self.add(Kind::Fact, text);
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.add(Kind::Warning, text);
    }

    pub(super) fn stop(&mut self, text: impl Into<String>) {
        self.add(Kind::Stops, text);
    }

    pub(super) fn deny(&mut self, text: impl Into<String>) {
        self.add(Kind::Denied, text);
    }

    /// What was read, or a line that says why it was not.
    pub(super) fn read<T>(&mut self, result: Result<T, Unread>) -> Option<T> {
        let (kind, text) = match result {
            Ok(read) => return Some(read),
            Err(Unread::Denied(text)) => (Kind::Denied, text),
            Err(Unread::Unfit(text)) => (Kind::Stops, text),
            Err(Unread::Unreached(text)) => (Kind::Unreached, text),
        };
        // Several readings may end at the same call.
        if self.lines.iter().all(|line| line.text != text) {
            self.add(kind, text);
        }
        None
    }
}

impl Page {
    pub(super) fn of(sections: Vec<Section>) -> Self {
        let mut page = Self { ready: true, sections };
        page.ready = ![Kind::Stops, Kind::Denied, Kind::Unreached].into_iter().any(|kind| page.has(kind));
        page
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.sections.iter().flat_map(|section| &section.lines).any(|line| line.kind == kind)
    }

    pub(super) fn for_people(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{}", style(section.title).bold());
            for line in &section.lines {
                let mark = match line.kind {
                    Kind::Fact => style("  "),
                    Kind::Warning => style("! ").yellow(),
                    Kind::Stops | Kind::Denied | Kind::Unreached => style("✗ ").red(),
                };
                for (number, part) in words::for_terminal(&line.text, 4).iter().enumerate() {
                    let _ = if number == 0 {
                        writeln!(text, "  {mark}{part}")
                    } else {
                        writeln!(text, "    {part}")
                    };
                }
            }
        }
        let verdict = if self.ready {
            style("Nothing was changed. A rollout would begin.").green()
        } else {
            style("Nothing was changed. A rollout would not begin: see what is marked ✗.").red()
        };
        let _ = writeln!(text, "{verdict}");
        text
    }
}
