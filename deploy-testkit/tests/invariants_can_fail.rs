//! Every invariant can fail: a life that was doctored so breaks the one that it should.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::effect::{Direction, Effect, EffectKind};
use mpac_deploy_core::ids::{EffectId, RolloutId};
use mpac_deploy_core::machine::Event;
use mpac_deploy_core::migration::Phase;
use mpac_deploy_core::policy::{Approval, mpac};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::invariant;
use mpac_deploy_testkit::script::{self, Script};
use mpac_deploy_testkit::trace::Trace;

/// The life of a rollout that nobody disturbed; a person approved of half, and of retiring blue.
fn undisturbed() -> Trace {
    let mut policy = mpac();
    policy.stages[1].approval = Approval::Required;
    policy.decommission.approval = Approval::Required;
    script::run(&policy, &Script { acts: Vec::new(), probed: false, migrates: true }).unwrap()
}

fn effect(kind: EffectKind) -> Effect {
    Effect { id: EffectId { rollout: RolloutId::from("doctored"), number: 9_999 }, attempt: 1, kind }
}

fn step_of(trace: &Trace, kind: DecisionKind) -> usize {
    trace.decisions().find(|(_, decision)| decision.kind == kind).unwrap().0
}

fn tell(trace: &mut Trace, at: usize, kind: DecisionKind) {
    let decision = Decision::plain(kind, Some("canary"), trace.steps[at].at, "doctored");
    trace.steps[at].effects.decisions.push(decision.clone());
    trace.steps[at].recorded.push(decision);
}

/// Changes a life into one that cannot be.
type Doctor = fn(&mut Trace);

/// The invariant that must notice, and what is done to the life. `weights are never both zero` is left out: two zeros cannot be
/// written down as weights, so no life can be doctored to hold them.
const DOCTORED: [(&str, Doctor); 13] = [
    ("green's weight rises only after a passed gate", |trace| {
        let weights = Weights::new(0, 100).unwrap();
        let set = EffectKind::SetWeights { weights, direction: Direction::Forward };
        let at = step_of(trace, DecisionKind::Prepared);
        trace.steps[at].effects.run.push(effect(set));
    }),
    ("no step past an approval gate without an approval recorded before", |trace| {
        let at = step_of(trace, DecisionKind::Approve);
        trace.steps[at].event = Some(Event::Tick);
    }),
    ("three facts come before a bake", |trace| {
        let at = step_of(trace, DecisionKind::ReadBack);
        tell(trace, at, DecisionKind::Bake);
    }),
    ("a promotion rests on evidence", |trace| {
        let at = step_of(trace, DecisionKind::Promote);
        trace.steps[at].after = trace.steps[at - 1].after.clone();
    }),
    ("a fired trigger ends with blue at 100 %, or held with a reason", |trace| {
        tell(trace, 40, DecisionKind::Rollback);
    }),
    ("nothing towards green after a rollback began", |trace| {
        tell(trace, 40, DecisionKind::Rollback);
    }),
    ("rolled back means read back", |trace| {
        let tick = trace.steps.iter().position(|step| step.event == Some(Event::Tick)).unwrap();
        tell(trace, tick, DecisionKind::RolledBack);
    }),
    ("blue is never retired before its time", |trace| {
        trace.steps[40].effects.run.push(effect(EffectKind::RetireBlue));
    }),
    ("the schema fits the code that runs", |trace| {
        trace.steps[60].effects.run.push(effect(EffectKind::Migrate { phase: Phase::Contract, step: 0 }));
    }),
    ("replaying the journal gives the same state at every prefix", |trace| {
        let last = trace.steps.len() - 1;
        trace.steps[last].after = trace.steps[0].after.clone();
    }),
    ("a snapshot and the records after it give the same state", |trace| {
        let last = trace.steps.len() - 1;
        let first = trace.steps[0].after.clone();
        trace.steps[..last].iter_mut().for_each(|step| step.after = first.clone());
    }),
    ("the same inputs give the same decisions", |trace| {
        let at = step_of(trace, DecisionKind::Promote);
        trace.steps[at].recorded[0].reason.push('!');
    }),
    ("time never goes back", |trace| {
        trace.steps[1].after = trace.steps[200].after.clone();
    }),
];

#[test]
fn a_doctored_life_breaks_the_invariant_that_it_should() {
    for (name, doctor) in DOCTORED {
        let invariant = invariant::ALL.iter().find(|invariant| invariant.name == name).unwrap();
        let mut trace = undisturbed();
        invariant.check(&trace).unwrap();
        doctor(&mut trace);
        let violation = invariant.check(&trace).expect_err(name);
        assert_eq!(violation.invariant, name);
    }
    assert_eq!(DOCTORED.len() + 1, invariant::ALL.len());
}
