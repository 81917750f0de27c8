//! What the API answers about a rollout.

use mpac_deploy_core::decision::{Decision, Severity};
use mpac_deploy_core::effect::Health;
use mpac_deploy_core::machine::{
    Command, CommandKind, Control, Event, KnownHealth, Outcome, Phase, Rejected, Rollout, ShiftStep, Shifting,
};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::policy::IssueKind;
use mpac_deploy_core::port::RolloutSummary;
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_core::units::Weights;
use serde::Serialize;

use super::film::Film;
use super::plot::{Plot, plots};

/// A rollout in a few words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Brief {
    pub(super) id: String,
    service: String,
    record: String,
    blue: String,
    green: String,
    begun: Timestamp,
    latest: Timestamp,
    phase: &'static str,
    stage: Option<String>,
    paused: bool,
    awaits_approval: Option<Awaited>,
    weights: BothWeights,
}

/// A step that waits for a person.
#[derive(Clone, Debug, Serialize)]
struct Awaited {
    gate: String,
    what: String,
    deadline: Option<Timestamp>,
}

impl Awaited {
    fn of(rollout: &Rollout) -> Option<Self> {
        let (gate, plan) = (rollout.awaited_approval()?, rollout.plan());
        let deadline = match rollout.phase() {
            Phase::Shifting(Shifting { step: ShiftStep::AwaitingApproval { deadline }, .. }) => *deadline,
            Phase::Preparing(_)
            | Phase::Shifting(_)
            | Phase::Baking(_)
            | Phase::Decommissioning(_)
            | Phase::Contracting(_)
            | Phase::RollingBack(_)
            | Phase::Finished(_) => None,
        };
        Some(Self { gate: plan.gate_name(gate).into(), what: plan.gate_words(gate), deadline })
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
struct BothWeights {
    blue: u8,
    green: u8,
}

impl From<Weights> for BothWeights {
    fn from(weights: Weights) -> Self {
        Self { blue: weights.blue(), green: weights.green() }
    }
}

impl Brief {
    pub(super) fn of(summary: &RolloutSummary, rollout: &Rollout) -> Self {
        Self::at(rollout, summary.begun, summary.latest)
    }

    fn at(rollout: &Rollout, begun: Timestamp, latest: Timestamp) -> Self {
        let release = rollout.plan().release();
        Self {
            id: rollout.id().to_string(),
            service: release.service.clone(),
            record: release.record.to_string(),
            blue: release.blue.to_string(),
            green: release.green.to_string(),
            begun,
            latest,
            phase: phase(rollout.phase()),
            stage: rollout.stage().map(|stage| rollout.plan().stage_name(stage).to_owned()),
            paused: matches!(rollout.control(), Control::Paused { .. }),
            awaits_approval: Awaited::of(rollout),
            weights: rollout.expected_weights().into(),
        }
    }
}

/// Where a rollout stands, and its way there.
#[derive(Debug, Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    brief: Brief,
    records: u64,
    policy: String,
    paused_by: Option<PausedBy>,
    outcome: Option<String>,
    why: Option<String>,
    health: BothHealths,
    stages: Vec<StageView>,
    /// When something will be looked at or done, if nothing happens before.
    next: Option<Timestamp>,
    can: Vec<Offer>,
    times: Vec<Timestamp>,
    plots: Vec<Plot>,
    shares: Vec<(Timestamp, BothWeights)>,
    decisions: Vec<DecisionView>,
    decisions_let_go: u64,
}

#[derive(Debug, Serialize)]
struct PausedBy {
    by: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct BothHealths {
    blue: String,
    green: String,
}

#[derive(Debug, Serialize)]
struct StageView {
    name: String,
    weights: BothWeights,
    bake: u32,
    counted: u32,
    state: &'static str,
}

/// A command that would be obeyed now, or the reason why not.
#[derive(Debug, Serialize)]
struct Offer {
    command: &'static str,
    offered: bool,
    needs_force: bool,
    why_not: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct DecisionView {
    severity: Severity,
    #[serde(flatten)]
    decision: Decision,
}

impl From<&Decision> for DecisionView {
    fn from(decision: &Decision) -> Self {
        Self { severity: decision.severity(), decision: decision.clone() }
    }
}

impl View {
    pub(super) fn of(film: &Film) -> Self {
        let rollout = &film.rollout;
        Self {
            brief: Brief::at(rollout, film.begun, rollout.now()),
            records: film.records,
            policy: rollout.plan().policy().name.clone(),
            paused_by: match rollout.control() {
                Control::Paused { by, why } => Some(PausedBy { by: by.clone(), why: why.clone() }),
                Control::Running => None,
            },
            outcome: rollout.outcome().map(ToString::to_string),
            why: film.rollback().map(|decision| decision.reason.clone()),
            health: BothHealths {
                blue: health(rollout.health(Side::Blue)),
                green: health(rollout.health(Side::Green)),
            },
            stages: stages(film),
            next: rollout.deadline(),
            can: offers(rollout),
            times: film.minutes.kept.iter().map(|minute| minute.period.start()).collect(),
            plots: plots(film),
            shares: film.weights.kept.iter().map(|(at, weights)| (*at, (*weights).into())).collect(),
            decisions: film.decisions.kept.iter().map(Into::into).collect(),
            decisions_let_go: film.decisions.let_go,
        }
    }
}

/// A word for where it stands, for people and for styles.
pub(super) const fn phase(phase: &Phase) -> &'static str {
    match phase {
        Phase::Preparing(_) => "preparing",
        Phase::Shifting(_) => "shifting",
        Phase::Baking(_) => "baking",
        Phase::Decommissioning(_) => "decommissioning",
        Phase::Contracting(_) => "contracting",
        Phase::RollingBack(_) => "rolling-back",
        Phase::Finished(Outcome::Completed) => "completed",
        Phase::Finished(Outcome::RolledBack { .. }) => "rolled-back",
        Phase::Finished(Outcome::Abandoned { .. }) => "abandoned",
    }
}

fn health(known: &KnownHealth) -> String {
    match known {
        KnownHealth::Unknown => "not looked at".into(),
        KnownHealth::Known(Health::Healthy) => "healthy".into(),
        KnownHealth::Known(Health::Starting { detail }) => format!("starting: {detail}"),
        KnownHealth::Known(Health::Unhealthy { detail }) => format!("unhealthy: {detail}"),
        KnownHealth::Known(Health::Failed { detail }) => format!("failed: {detail}"),
    }
}

fn stages(film: &Film) -> Vec<StageView> {
    let (rollout, plan) = (&film.rollout, film.rollout.plan());
    let is_passed = matches!(
        rollout.phase(),
        Phase::Decommissioning(_) | Phase::Contracting(_) | Phase::Finished(Outcome::Completed)
    );
    let is_back = matches!(
        rollout.phase(),
        Phase::RollingBack(_) | Phase::Finished(Outcome::RolledBack { .. } | Outcome::Abandoned { .. })
    );
    let is_baking = matches!(rollout.phase(), Phase::Baking(_));
    let view = |stage: usize| {
        let state = match film.furthest {
            Some(furthest) if stage < furthest || (stage == furthest && is_passed) => "done",
            Some(furthest) if stage == furthest && is_back => "taken-back",
            Some(furthest) if stage == furthest => "running",
            Some(_) | None => "ahead",
        };
        let bake = plan.stage_bake(stage);
        let counted = match state {
            "done" => bake,
            "running" if is_baking => rollout.judge().counted().min(bake),
            _ => 0,
        };
        StageView {
            name: plan.stage_name(stage).into(),
            weights: plan.stage_weights(stage).into(),
            bake,
            counted,
            state,
        }
    };
    (0..plan.stage_count()).map(view).collect()
}

/// What the machine says to each command, asked of a copy.
fn offers(rollout: &Rollout) -> Vec<Offer> {
    let abort = |force| CommandKind::Abort { issue: IssueKind::HighErrorRate, force };
    let promote = |force| CommandKind::Promote { force };
    let asked = |kind| {
        let command = Command { kind, by: "-".into(), why: "-".into() };
        rollout.clone().handle(rollout.now(), Event::Command(command))
    };
    let offer = |command, plain: CommandKind, forced: Option<CommandKind>| {
        let refusal = |why: Rejected| Offer {
            command,
            offered: false,
            needs_force: false,
            why_not: Some(why.to_string()),
        };
        let offered = |needs_force| Offer { command, offered: true, needs_force, why_not: None };
        match asked(plain) {
            Ok(_) => offered(false),
            Err(why) if forced.is_some_and(|forced| asked(forced).is_ok()) => {
                Offer { why_not: Some(why.to_string()), ..offered(true) }
            }
            Err(why) => refusal(why),
        }
    };
    let mut offers = vec![
        offer("pause", CommandKind::Pause, None),
        offer("resume", CommandKind::Resume, None),
        offer("promote", promote(false), Some(promote(true))),
        offer("abort", abort(false), Some(abort(true))),
    ];
    if let Some(gate) = rollout.awaited_approval() {
        let approve = |force| CommandKind::Approve { gate, force };
        offers.insert(0, offer("approve", approve(false), Some(approve(true))));
    }
    offers
}
