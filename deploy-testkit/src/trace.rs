//! A rollout's whole life, step by step: what happened, what followed, and the state after it.

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::effect::Effects;
use mpac_deploy_core::journal::{Entry, Record, ReplayError};
use mpac_deploy_core::machine::{Event, Rollout};
use mpac_deploy_core::time::Timestamp;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What happened; nothing at the beginning.
    pub event: Option<Event>,
    /// What followed.
    pub effects: Effects,
    /// The state after it.
    pub after: Rollout,
    /// What was recorded as decided when it was run first.
    pub recorded: Vec<Decision>,
}

/// A rollout's whole life. Made from a journal, so it can be had of any run: simulated, scripted or live.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The steps, in order; at least the beginning.
    pub steps: Vec<Step>,
    /// The journal that it was made from.
    pub records: Vec<Record>,
}

impl Trace {
    /// Runs a journal through the machine again and keeps every state.
    ///
    /// # Errors
    /// [`ReplayError`] as from [`replay`](mpac_deploy_core::journal::replay).
    pub fn from_journal(records: Vec<Record>) -> Result<Self, ReplayError> {
        let mut steps: Vec<Step> = Vec::with_capacity(records.len());
        for record in &records {
            let step = match (&record.entry, steps.last()) {
                (Entry::Begun { id, policy, release }, None) => {
                    let plan = policy.compile(release.as_ref().clone())?;
                    let (after, effects) = Rollout::begin(id.clone(), plan, record.at);
                    Step { at: record.at, event: None, effects, after, recorded: record.decisions.clone() }
                }
                (Entry::Happened(event), Some(before)) => {
                    let mut after = before.after.clone();
                    let effects = after
                        .handle(record.at, event.clone())
                        .map_err(|why| ReplayError::Rejected { number: record.number, why })?;
                    let recorded = record.decisions.clone();
                    Step { at: record.at, event: Some(event.clone()), effects, after, recorded }
                }
                (Entry::Begun { .. }, Some(_)) | (Entry::Happened(_), None) => {
                    return Err(ReplayError::NotBegun { number: record.number });
                }
            };
            steps.push(step);
        }
        if steps.is_empty() { Err(ReplayError::Empty) } else { Ok(Self { steps, records }) }
    }

    /// Every decision with the step that it was taken in.
    pub fn decisions(&self) -> impl Iterator<Item = (usize, &Decision)> {
        self.steps
            .iter()
            .enumerate()
            .flat_map(|(at, step)| step.effects.decisions.iter().map(move |d| (at, d)))
    }

    /// The state at the end.
    #[must_use]
    pub fn last(&self) -> Option<&Rollout> {
        self.steps.last().map(|step| &step.after)
    }
}
