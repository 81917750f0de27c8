//! The numbers of a running driver, through the facade `metrics`; without the feature of that name nothing is counted.
//!
//! Labels name the service and the record, never the rollout: a series that ends with every rollout would grow a store of series without bound.

pub(super) use each::*;

#[cfg(not(feature = "metrics"))]
mod each {
    use core::time::Duration;

    use crate::decision::Decision;
    use crate::effect::Effects;
    use crate::machine::{Event, Rollout};

    pub(crate) const fn notice_dropped(_: &Decision) {}
    pub(crate) const fn call(_: &'static str, _: bool, _: Duration) {}
    pub(crate) const fn backlog(_: &Rollout, _: usize) {}
    pub(crate) const fn observed(_: &Rollout, _: &Event) {}
    pub(crate) const fn happened(_: &Rollout, _: &Effects) {}
}

#[cfg(feature = "metrics")]
mod each {
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;
    use core::time::Duration;

    use metrics::{Label, counter, gauge, histogram};

    use crate::analysis::Reading;
    use crate::decision::{Decision, Severity};
    use crate::effect::{Answer, Effects};
    use crate::machine::{Control, Event, Outcome, Phase, Rollout};
    use crate::metric::Side;

    /// The phases by name, each a series that is 1 where the rollout stands and 0 elsewhere.
    const PHASES: [&str; 9] = [
        "preparing",
        "shifting",
        "baking",
        "decommissioning",
        "contracting",
        "rolling-back",
        "completed",
        "rolled-back",
        "abandoned",
    ];

    pub(crate) fn notice_dropped(decision: &Decision) {
        counter!("mpac_deploy_notices_dropped_total", "severity" => severity(decision)).increment(1);
    }

    pub(crate) fn call(call: &'static str, is_ok: bool, took: Duration) {
        let result = if is_ok { "ok" } else { "error" };
        counter!("mpac_deploy_calls_total", "call" => call, "result" => result).increment(1);
        histogram!("mpac_deploy_call_seconds", "call" => call).record(took.as_secs_f64());
    }

    pub(crate) fn backlog(rollout: &Rollout, records: usize) {
        gauge!("mpac_deploy_journal_backlog", of(rollout)).set(count(records));
    }

    pub(crate) fn observed(rollout: &Rollout, event: &Event) {
        let Event::Outcome { result: Ok(Answer::Readings(readings)), .. } = event else { return };
        for (series, reading) in rollout.plan().series().iter().zip(readings) {
            let labels = with(
                rollout,
                [("side", series.side.to_string()), ("metric", series.metric.name().to_string())],
            );
            match reading {
                Reading::Number(number) => gauge!("mpac_deploy_evidence", labels).set(number.get()),
                Reading::Gap(_) => counter!("mpac_deploy_evidence_gaps_total", labels).increment(1),
            }
        }
    }

    pub(crate) fn happened(rollout: &Rollout, effects: &Effects) {
        for decision in &effects.decisions {
            let labels =
                [("kind", decision.kind.as_str().to_string()), ("severity", severity(decision).into())];
            counter!("mpac_deploy_decisions_total", with(rollout, labels)).increment(1);
        }
        let plan = rollout.plan();
        let stage = match rollout.phase() {
            Phase::Preparing(_) | Phase::Finished(_) => None,
            Phase::Shifting(_)
            | Phase::Baking(_)
            | Phase::Decommissioning(_)
            | Phase::Contracting(_)
            | Phase::RollingBack(_) => rollout.stage(),
        };
        for index in 0..plan.stage_count() {
            let is_here = f64::from(u8::from(stage == Some(index)));
            gauge!("mpac_deploy_stage", with(rollout, [("stage", plan.stage_name(index).to_string())]))
                .set(is_here);
        }
        let here = phase(rollout.phase());
        for name in PHASES {
            let is_here = f64::from(u8::from(name == here));
            gauge!("mpac_deploy_phase", with(rollout, [("phase", name.to_string())])).set(is_here);
        }
        for side in [Side::Blue, Side::Green] {
            let weight = f64::from(rollout.expected_weights().of(side));
            gauge!("mpac_deploy_weight", with(rollout, [("side", side.to_string())])).set(weight);
        }
        let is_paused = matches!(rollout.control(), Control::Paused { .. });
        gauge!("mpac_deploy_paused", of(rollout)).set(f64::from(u8::from(is_paused)));
        gauge!("mpac_deploy_bake_minutes", of(rollout)).set(f64::from(rollout.judge().counted()));
    }

    const fn phase(phase: &Phase) -> &'static str {
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

    fn severity(decision: &Decision) -> &'static str {
        match decision.severity() {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }

    fn of(rollout: &Rollout) -> Vec<Label> {
        with(rollout, [])
    }

    fn with<const N: usize>(rollout: &Rollout, more: [(&'static str, String); N]) -> Vec<Label> {
        let release = rollout.plan().release();
        let mut labels = vec![
            Label::new("service", release.service.clone()),
            Label::new("record", release.record.to_string()),
        ];
        labels.extend(more.into_iter().map(|(name, value)| Label::new(name, value)));
        labels
    }

    /// A count as a gauge takes it; exact far beyond any backlog.
    fn count(of: usize) -> f64 {
        u32::try_from(of).map_or(f64::INFINITY, f64::from)
    }
}
