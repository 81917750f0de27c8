//! What would hurt a rollout although nothing is wrong by itself.

use core::fmt;

/// Something that a person should know before a rollout, or while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which trap it is; the id stays.
    pub id: &'static str,
    /// How much it would hurt.
    pub severity: Severity,
    /// The line of a template, from 1; none where there is no text.
    pub line: Option<usize>,
    /// Where: a record, a rule, a load balancer, a resource of a template such as `BlueRecord`.
    pub place: String,
    /// What is the matter, and what would come of it.
    pub problem: String,
    /// What to do.
    pub fix: &'static str,
}

/// How much it would hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// It is well to know.
    Warning,
    /// Clients are hit, now or by the next change.
    Error,
}

impl Severity {
    /// `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, severity, line, place, problem, fix } = self;
        let line = line.map_or_else(String::new, |line| format!("line {line}, "));
        write!(f, "{}: {line}{place}: {problem}; {fix} ({id})", severity.as_str())
    }
}
