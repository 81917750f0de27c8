//! Where a rollout stands, on one screen.

use std::fmt::Write as _;
use std::time::Duration;

use console::style;
use mpac_deploy_core::analysis::{RuleRef, Verdict};
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::Recalled;
use mpac_deploy_core::machine::{
    ApprovalGate, Baking, Contracting, Control, Decommissioning, Phase, Rollout,
};
use mpac_deploy_core::time::Timestamp;
use serde::Serialize;

use super::store::{Store, unread};
use crate::demo::standing::{self, Step};
use crate::reply::Failure;
use crate::words;

/// The records among which the latest decision is looked for: probes and polls come between two decisions.
const LOOKED_THROUGH: u64 = 400;

/// The width of the bar of a bake.
const BAR: usize = 28;

/// The room before a value.
const LABEL: usize = 9;

/// Where a rollout stands: what `status` and `watch` show.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    pub(super) rollout: String,
    pub(super) service: String,
    pub(super) record: String,
    pub(super) from: String,
    pub(super) revision: String,
    /// When the latest thing happened to it.
    pub(super) at: Timestamp,
    /// `null` while it is not over.
    pub(super) outcome: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) weights: Weights,
    pub(super) doing: String,
    pub(super) paused: Option<Paused>,
    /// The step that waits for a person's approval.
    pub(super) awaits_approval: Option<String>,
    pub(super) bake: Option<Bake>,
    pub(super) next: String,
    /// The time before which that does not happen, where it is known.
    pub(super) next_at: Option<Timestamp>,
    pub(super) rules: Vec<Rule>,
    latest: Option<Decision>,
    #[serde(skip)]
    pub(super) steps: Vec<(String, Step)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Weights {
    pub(super) blue: u8,
    pub(super) green: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct Paused {
    pub(super) by: String,
    pub(super) why: String,
}

/// A bake in minutes.
#[derive(Debug, Serialize)]
pub(super) struct Bake {
    /// With evidence.
    pub(super) counted: u32,
    pub(super) needed: u32,
    /// Of the stage's time, with evidence or not.
    elapsed: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) kind: &'static str,
    /// Of a trigger or an alert, that it breaches; of a gate, that it lets pass.
    holds: bool,
    /// The part of its limit that is used up, where there is one: from 1 on it is bad.
    pub(super) used: Option<f64>,
    pub(super) reason: String,
}

/// The latest of what was decided, the newest last.
pub(super) async fn told_lately(store: &Store, recalled: &Recalled) -> Result<Vec<Decision>, Failure> {
    let before = recalled.records.saturating_sub(LOOKED_THROUGH);
    let tail = store.journal.load(recalled.rollout.id(), before).await.map_err(|error| unread(&error))?;
    Ok(tail.into_iter().flat_map(|record| record.decisions).collect())
}

impl Standing {
    pub(super) async fn of(store: &Store, recalled: &Recalled) -> Result<Self, Failure> {
        let latest = told_lately(store, recalled).await?.pop();
        Ok(Self::new(&recalled.rollout, latest))
    }

    pub(super) fn new(rollout: &Rollout, latest: Option<Decision>) -> Self {
        let plan = rollout.plan();
        let release = plan.release();
        let weights = rollout.expected_weights();
        let (next, next_at) = next(rollout);
        let awaited = rollout.awaited_approval();
        Self {
            rollout: rollout.id().to_string(),
            service: release.service.clone(),
            record: release.record.to_string(),
            from: release.blue.to_string(),
            revision: release.green.to_string(),
            at: rollout.now(),
            outcome: rollout.outcome().map(ToString::to_string),
            stage: rollout.stage().map(|stage| plan.stage_name(stage).to_owned()),
            weights: Weights { blue: weights.blue(), green: weights.green() },
            doing: standing::doing(rollout),
            paused: paused(rollout),
            awaits_approval: awaited.map(|gate| plan.gate_name(gate).to_owned()),
            bake: bake(rollout),
            next,
            next_at,
            rules: rules(rollout),
            latest,
            steps: standing::steps(rollout),
        }
    }

    /// One screen.
    pub(super) fn for_people(&self) -> String {
        let mut text = format!(
            "{} {} → {} on {}   {}\n  {}\n",
            style(&self.service).bold(),
            self.from,
            style(&self.revision).bold(),
            self.record,
            style(&self.rollout).dim(),
            steps_line(&self.steps),
        );
        let mut row = |label: &str, value: &str| {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  {:<LABEL$} {value}", label);
        };
        row("weights", &format!("blue {}, green {}", self.weights.blue, self.weights.green));
        if let Some(paused) = &self.paused {
            let why = format!("by {}: {}", paused.by, paused.why);
            row("paused", &style(why).yellow().to_string());
        }
        let bar = self.bake.as_ref().map(|bake| format!("{}  ", bar(bake))).unwrap_or_default();
        row("now", &format!("{bar}{}", self.outcome.as_ref().unwrap_or(&self.doing)));
        let when = self.next_at.map(|at| format!(", not before {}", words::clock(at))).unwrap_or_default();
        if !self.next.is_empty() {
            row("next", &format!("{}{when}", self.next));
        }
        if let Some(latest) = &self.latest {
            row("latest", words::decision_line(latest).trim_start());
        }
        self.write_rules(&mut text);
        text
    }

    /// Gates first, since what happens next depends on them; triggers and alerts that are quiet come last.
    pub(super) fn rules_by_weight(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        rules.sort_by_key(|rule| (!rule.is_bad(), rule.kind != "gate", rule.kind != "trigger"));
        rules
    }

    fn write_rules(&self, text: &mut String) {
        for rule in self.rules_by_weight() {
            let mark = match (rule.is_bad(), rule.kind) {
                (false, _) => style("✓").green(),
                (true, "gate") => style("·").yellow(),
                (true, _) => style("✗").red().bold(),
            };
            let reason = words::without_days(&rule.reason);
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "  {mark} {:<7} {} {}",
                rule.kind,
                style(&rule.id).bold(),
                style(reason).dim()
            );
        }
    }
}

impl Rule {
    fn of(rollout: &Rollout, verdict: &Verdict) -> Self {
        let (plan, judge) = (rollout.plan(), rollout.judge());
        let kind = match verdict.rule {
            RuleRef::Trigger(_) | RuleRef::Blind | RuleRef::NoTraffic => "trigger",
            RuleRef::Alert(_) => "alert",
            RuleRef::Gate { .. } | RuleRef::StageEvidence(_) => "gate",
        };
        let reason = verdict.reason(plan, judge);
        Self {
            id: verdict.rule_id(plan),
            kind,
            holds: verdict.holds,
            used: verdict.used(plan, judge),
            reason,
        }
    }

    /// A gate that does not let pass, or a trigger or an alert that breaches.
    pub(super) fn is_bad(&self) -> bool {
        self.holds == (self.kind != "gate")
    }
}

fn rules(rollout: &Rollout) -> Vec<Rule> {
    if rollout.outcome().is_some() {
        return Vec::new();
    }
    rollout.judge().standing(rollout.plan()).iter().map(|verdict| Rule::of(rollout, verdict)).collect()
}

fn paused(rollout: &Rollout) -> Option<Paused> {
    match rollout.control() {
        Control::Running => None,
        Control::Paused { by, why } => Some(Paused { by: by.clone(), why: why.clone() }),
    }
}

fn bake(rollout: &Rollout) -> Option<Bake> {
    let Phase::Baking(Baking { stage, .. }) = rollout.phase() else { return None };
    let judge = rollout.judge();
    Some(Bake {
        counted: judge.counted(),
        needed: rollout.plan().stage_bake(*stage),
        elapsed: judge.elapsed(),
    })
}

/// What happens next by itself, and when at the earliest.
fn next(rollout: &Rollout) -> (String, Option<Timestamp>) {
    let plan = rollout.plan();
    let stage_after = |stage: usize| match plan.is_last(stage) {
        true => "blue is kept, and then retired".to_owned(),
        false => format!("{} follows", plan.stage_name(stage + 1)),
    };
    let approves = |gate| if plan.approval(gate).is_required() { ", and somebody approves" } else { "" };
    let moves_forward =
        matches!(rollout.phase(), Phase::Preparing(_) | Phase::Shifting(_) | Phase::Baking(_));
    if moves_forward && matches!(rollout.control(), Control::Paused { .. }) {
        return ("nothing moves towards green until somebody resumes; triggers still roll back".into(), None);
    }
    if let Some(gate) = rollout.awaited_approval() {
        let name = plan.gate_name(gate);
        let follows = match gate {
            ApprovalGate::Stage(_) => format!("{name} follows"),
            ApprovalGate::Decommission => "blue is retired".into(),
        };
        return (format!("{follows} once somebody approves: `approve --gate {name}`"), None);
    }
    match rollout.phase() {
        Phase::Preparing(_) => (format!("{} begins once green is ready", plan.stage_name(0)), None),
        Phase::Shifting(shifting) => {
            (format!("the bake of {} begins", plan.stage_name(shifting.stage)), None)
        }
        Phase::Baking(Baking { stage, .. }) => {
            let left = plan.stage_bake(*stage).saturating_sub(rollout.judge().counted());
            let at = rollout.now().after(Duration::from_secs(60 * u64::from(left)));
            let approves = if plan.is_last(*stage) { "" } else { approves(ApprovalGate::Stage(stage + 1)) };
            (format!("{} if every gate holds{approves}", stage_after(*stage)), Some(at))
        }
        Phase::Decommissioning(Decommissioning::Waiting { until }) => {
            (format!("blue is retired{}", approves(ApprovalGate::Decommission)), Some(*until))
        }
        Phase::Decommissioning(_) => ("blue is retired".into(), None),
        Phase::Contracting(Contracting::Waiting { until }) => {
            ("the schema is contracted".into(), Some(*until))
        }
        Phase::Contracting(_) => ("the rollout completes".into(), None),
        Phase::RollingBack(_) => ("blue serves everybody again".into(), None),
        Phase::Finished(_) => (String::new(), None),
    }
}

fn steps_line(steps: &[(String, Step)]) -> String {
    let word = |(name, step): &(String, Step)| match step {
        Step::Done => style(format!("✓ {name}")).green().to_string(),
        Step::Running => style(format!("● {name}")).cyan().bold().to_string(),
        Step::Ahead => style(format!("· {name}")).dim().to_string(),
        Step::TakenBack => style(format!("✗ {name}")).red().bold().to_string(),
    };
    steps.iter().map(word).collect::<Vec<_>>().join("  ")
}

fn bar(bake: &Bake) -> String {
    let share = usize::try_from(bake.counted.min(bake.needed)).unwrap_or_default() * BAR;
    let full = share.checked_div(usize::try_from(bake.needed).unwrap_or(usize::MAX)).unwrap_or(BAR);
    format!("{}{}", style("━".repeat(full)).cyan(), style("─".repeat(BAR - full)).dim())
}
