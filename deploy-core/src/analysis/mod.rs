//! Evidence, windows, rules and verdicts: what the numbers of a period mean for a rollout (semantics 2 to 4).
//!
//! [`Judge`] takes one observation per period and answers with an [`Assessment`]. It allocates when it is made and never
//! again, and takes each sample in constant time; only a gate's look walks its stage's window.

mod blind;
mod compare;
mod evidence;
mod explain;
mod gate;
mod judge;
mod near;
mod verdict;
mod watch;
mod window;

pub use compare::{Line, TwoRates, line_through};
pub(crate) use evidence::quotient;
pub use evidence::{Class, Evidence, Finite, Gap, NotFinite, Reading};
pub use judge::Judge;
pub use verdict::{Assessment, Measure, Notice, NoticeKind, RuleRef, Ruling, Verdict};
