//! A rollout followed through its records: where it stands, and what the plots need of its way there.

use std::collections::VecDeque;

use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::effect::{Answer, EffectKind};
use mpac_deploy_core::journal::{Entry, Record, ReplayError, replay, replay_from};
use mpac_deploy_core::machine::{Event, Rollout};
use mpac_deploy_core::time::{Period, Timestamp};
use mpac_deploy_core::units::Weights;

/// Minutes of metrics that are kept: a day; a rollout watches for some two hours.
const MINUTES: usize = 24 * 60;

/// Decisions that are kept: a rollout takes some twenty, and an effect that is tried again for hours several hundred more.
const DECISIONS: usize = 500;

/// Changes of the weights that are kept; a rollout makes four.
const CHANGES: usize = 100;

/// The latest of its kind, and how many were let go.
#[derive(Debug)]
pub(super) struct Latest<T> {
    pub(super) kept: VecDeque<T>,
    limit: usize,
    pub(super) let_go: u64,
}

impl<T> Latest<T> {
    const fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), limit, let_go: 0 }
    }

    fn push(&mut self, item: T) {
        if self.kept.len() == self.limit {
            self.kept.pop_front();
            self.let_go += 1;
        }
        self.kept.push_back(item);
    }
}

/// A minute's readings, in the order of the plan's series.
#[derive(Debug)]
pub(super) struct Minute {
    pub(super) period: Period,
    pub(super) readings: Vec<Reading>,
}

/// A rollout with its way.
#[derive(Debug)]
pub(super) struct Film {
    pub(super) rollout: Rollout,
    pub(super) records: u64,
    pub(super) begun: Timestamp,
    pub(super) decisions: Latest<Decision>,
    pub(super) minutes: Latest<Minute>,
    /// The weights and when they came to be, as far as the machine knows.
    pub(super) weights: Latest<(Timestamp, Weights)>,
    /// The latest stage that was reached, also when it was left.
    pub(super) furthest: Option<usize>,
}

impl Film {
    /// From all records of a rollout.
    pub(super) fn of(records: &[Record]) -> Result<Self, ReplayError> {
        let (first, rest) = records.split_first().ok_or(ReplayError::Empty)?;
        let rollout = replay(std::slice::from_ref(first))?;
        let mut film = Self {
            records: 1,
            begun: first.at,
            decisions: Latest::new(DECISIONS),
            minutes: Latest::new(MINUTES),
            weights: Latest::new(CHANGES),
            furthest: None,
            rollout,
        };
        film.weights.push((first.at, film.rollout.expected_weights()));
        first.decisions.iter().for_each(|decision| film.decisions.push(decision.clone()));
        film.go_on(rest)
    }

    /// With the records that follow.
    pub(super) fn go_on(mut self, records: &[Record]) -> Result<Self, ReplayError> {
        for record in records {
            let minute = self.minute(record);
            self.rollout = replay_from(self.rollout, self.records, std::slice::from_ref(record))?;
            self.records += 1;
            minute.into_iter().for_each(|minute| self.minutes.push(minute));
            let weights = self.rollout.expected_weights();
            if self.weights.kept.back().is_some_and(|(_, latest)| *latest != weights) {
                self.weights.push((record.at, weights));
            }
            self.furthest = self.rollout.stage().max(self.furthest);
            record.decisions.iter().for_each(|decision| self.decisions.push(decision.clone()));
        }
        Ok(self)
    }

    /// The readings in a record, and of which minute they are: that stands in the effect, which the machine forgets with its outcome.
    fn minute(&self, record: &Record) -> Option<Minute> {
        let Entry::Happened(Event::Outcome { effect, result: Ok(Answer::Readings(readings)) }) =
            &record.entry
        else {
            return None;
        };
        let asked = self.rollout.outstanding().find(|asked| asked.id == *effect)?;
        match &asked.kind {
            EffectKind::Observe { period } => Some(Minute { period: *period, readings: readings.clone() }),
            EffectKind::ReadWeights
            | EffectKind::SetWeights { .. }
            | EffectKind::ConfirmWeights { .. }
            | EffectKind::Provision
            | EffectKind::CheckHealth { .. }
            | EffectKind::RunCheck { .. }
            | EffectKind::Probe { .. }
            | EffectKind::RetireBlue
            | EffectKind::ReviveBlue
            | EffectKind::StopGreen
            | EffectKind::Migrate { .. }
            | EffectKind::ReadSchema { .. }
            | EffectKind::FindWritten { .. }
            | EffectKind::UndoMigration { .. }
            | EffectKind::SwitchOff { .. }
            | EffectKind::ReadFlag { .. } => None,
        }
    }

    /// Why it was taken back, if it was.
    pub(super) fn rollback(&self) -> Option<&Decision> {
        let is_one = |kind| matches!(kind, DecisionKind::Rollback | DecisionKind::Abandoned);
        self.decisions.kept.iter().rev().find(|decision| is_one(decision.kind))
    }
}
