//! A second, naive implementation of the replay of the preset `mpac`, to compare the real one with.
//!
//! It is written from the semantics page (sections 1 to 4 and 6) and from `decisions.md` and shares nothing with the
//! analysis of `mpac-deploy-core` but the names of metrics and periods. Nothing is carried from one period to the next but the
//! stage and when it began: at every period, everything is worked out again from all that was seen so far. That
//! takes time quadratic in the length of the recording; it is meant for recordings of hours, not of weeks.
//!
//! ```
//! use mpac_deploy_testkit::recording::Draft;
//! use mpac_deploy_testkit::reference::{End, backtest};
//!
//! # fn main() -> Result<(), mpac_deploy_testkit::recording::RecordingError> {
//! let outcome = backtest(&Draft::healthy(105).build()?);
//! assert_eq!(outcome.outcome, End::Completed);
//! assert_eq!(outcome.decisions.len(), 3);
//! # Ok(())
//! # }
//! ```

mod compare;
mod evidence;
mod gate;
mod trigger;
mod watch;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;

use mpac_deploy_core::time::{Period, Timestamp};

use crate::recording::Recording;
use gate::Gate;
use window::Counted;

/// What the reference makes of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceOutcome {
    /// How the replay ended.
    pub outcome: End,
    /// The stage in which it ended.
    pub stage: Stage,
    /// Every decision and notice, in order.
    pub decisions: Vec<ReferenceDecision>,
    /// The ids of the rules that the recording has no metrics for: triggers, alerts, gates.
    pub skipped: Vec<String>,
}

/// One decision or notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceDecision {
    /// What was decided.
    pub kind: Kind,
    /// The stage in which it was decided.
    pub stage: Stage,
    /// The id of the rule; none for what is decided because every gate holds.
    pub rule: Option<String>,
    /// The end of the last period that it rests on.
    pub evidence_end: Timestamp,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// As it stands in the output of `backtest --json`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// How a replay ends.
    End {
        /// `full` passed.
        Completed = "completed",
        /// Blue took over again.
        RolledBack = "rolled_back",
        /// The recording ended before.
        InProgress = "in_progress",
    }
}

named! {
    /// A stage of the preset `mpac`.
    Stage {
        /// 5 % for 15 minutes.
        Canary = "canary",
        /// 50 % for 30 minutes.
        Half = "half",
        /// 100 % for 60 minutes.
        Full = "full",
    }
}

named! {
    /// The kind of a decision or notice.
    Kind {
        /// The next stage begins.
        Promote = "promote",
        /// Blue takes over again.
        Rollback = "rollback",
        /// The last stage passed.
        Complete = "complete",
        /// An alert began to hold.
        Alert = "alert",
        /// An alert holds no more.
        AlertCleared = "alert_cleared",
        /// Promotion is held.
        Hold = "hold",
    }
}

impl Stage {
    const ALL: [Self; 3] = [Self::Canary, Self::Half, Self::Full];

    /// Minutes with evidence that the stage needs (semantics 4).
    const fn bake(self) -> usize {
        match self {
            Self::Canary => 15,
            Self::Half => 30,
            Self::Full => 60,
        }
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Canary => Some(Self::Half),
            Self::Half => Some(Self::Full),
            Self::Full => None,
        }
    }
}

/// A stage may take this many times its bake (semantics 4).
const DEADLINE_BAKES: usize = 2;

/// What is known at the end of a period: the recording, and every period of the replay up to that one.
///
/// No rule looks at a period that is not in here, but for blue's history.
#[derive(Clone, Copy)]
struct Seen<'a> {
    recording: &'a Recording,
    periods: &'a [Period],
}

impl<'a> Seen<'a> {
    /// The period just looked at.
    fn present(self) -> Period {
        self.periods.last().copied().unwrap_or_else(|| self.recording.start())
    }

    /// The same at the end of the period before; nothing if there is none.
    fn before(self) -> Option<Self> {
        let (_, earlier) = self.periods.split_last()?;
        (!earlier.is_empty()).then_some(Self { recording: self.recording, periods: earlier })
    }
}

/// Replays a recording under the preset `mpac`.
#[must_use]
pub fn backtest(recording: &Recording) -> ReferenceOutcome {
    let skipped = skipped(recording);
    let periods: Vec<Period> = recording.replay().map(|rows| rows.period()).collect();
    let mut decisions = Vec::new();
    let (mut stage, mut stage_began) = (Stage::Canary, 0);
    for present in 0..periods.len() {
        let Some(seen) = periods.get(..=present).map(|periods| Seen { recording, periods }) else { break };
        let mut decide = |kind, rule: Option<String>| {
            decisions.push(ReferenceDecision { kind, stage, rule, evidence_end: seen.present().end() });
        };
        for (kind, rule) in watch::notices(seen) {
            decide(kind, Some(rule.to_owned()));
        }
        match verdict(seen, stage, stage_began) {
            Verdict::GoOn => {}
            Verdict::RollBack(rule) => {
                decide(Kind::Rollback, Some(rule));
                return ReferenceOutcome { outcome: End::RolledBack, stage, decisions, skipped };
            }
            Verdict::Pass => match stage.next() {
                Some(next) => {
                    decide(Kind::Promote, None);
                    (stage, stage_began) = (next, present.saturating_add(1));
                }
                None => {
                    decide(Kind::Complete, None);
                    return ReferenceOutcome { outcome: End::Completed, stage, decisions, skipped };
                }
            },
        }
    }
    ReferenceOutcome { outcome: End::InProgress, stage, decisions, skipped }
}

/// What a period means for the stage.
enum Verdict {
    GoOn,
    Pass,
    RollBack(String),
}

/// The order of semantics 3.9: triggers as listed, `blind`, `no-traffic`, gates, the stage's deadline.
fn verdict(seen: Seen<'_>, stage: Stage, stage_began: usize) -> Verdict {
    if let Some(rule) = trigger::fired(seen).or_else(|| watch::rolls_back(seen)) {
        return Verdict::RollBack(rule.to_owned());
    }
    let failing = look_at_gates(seen, stage, stage_began);
    if matches!(failing, Look::AllHold) {
        return Verdict::Pass;
    }
    let taken = seen.periods.len().saturating_sub(stage_began);
    if taken < stage.bake().saturating_mul(DEADLINE_BAKES) {
        return Verdict::GoOn;
    }
    Verdict::RollBack(match failing {
        Look::FirstFailing(gate) => gate.id(stage),
        Look::NotLookedAt | Look::AllHold => format!("{stage}.evidence"),
    })
}

/// What a look at the gates found.
enum Look {
    NotLookedAt,
    AllHold,
    FirstFailing(Gate),
}

/// The gates are looked at after every period that counts, once `bake` have counted, unless promotion is held.
fn look_at_gates(seen: Seen<'_>, stage: Stage, stage_began: usize) -> Look {
    let gates = gate::gates(seen.recording, stage);
    let stage_periods = seen.periods.get(stage_began..).unwrap_or_default();
    let counted = Counted::of(seen.recording, &gates, stage_periods);
    let Some(window) = counted.window(stage.bake(), stage_periods) else { return Look::NotLookedAt };
    if !counted.includes(seen.present()) || watch::is_held(seen) {
        return Look::NotLookedAt;
    }
    match gates.into_iter().find(|gate| !gate.holds(seen.recording, &window)) {
        Some(gate) => Look::FirstFailing(gate),
        None => Look::AllHold,
    }
}

/// The ids of what the recording has no metrics for, each once: triggers, alerts, gates.
fn skipped(recording: &Recording) -> Vec<String> {
    let mut skipped: Vec<String> = Vec::new();
    let triggers = trigger::skipped(recording).into_iter().map(str::to_owned);
    let alerts = watch::skipped_alerts(recording).into_iter().map(str::to_owned);
    let gates = Stage::ALL.into_iter().flat_map(|stage| gate::skipped(recording, stage));
    for id in triggers.chain(alerts).chain(gates) {
        if !skipped.contains(&id) {
            skipped.push(id);
        }
    }
    skipped
}
