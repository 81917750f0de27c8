//! Random policies that are valid, around the shape of the preset.

use mpac_deploy_core::metric::{Metric, Signal};
use mpac_deploy_core::policy::{
    Approval, Policy, PolicyBuilder, Quantity, Span, WatchRule, consecutive, critical, m_of_n, period,
    periods, rate, ratio, stage, sum,
};
use proptest::prelude::*;

/// Valid policies: one to four stages with rising weights, a few triggers of the kinds consecutive, period, m-of-n and ratio, and gates that
/// are tighter than them.
pub fn policies() -> impl Strategy<Value = Policy> {
    (1..=4_usize, 3..=12_u32, 1..=3_u32, prop::collection::vec(triggers(), 1..4)).prop_map(
        |(stages, bake, deadline, triggers)| {
            let mut builder =
                PolicyBuilder::new("random").trigger("database", critical([Metric::PostgresUp]));
            for (index, trigger) in triggers.into_iter().enumerate() {
                builder = builder.trigger(format!("trigger-{index}"), trigger);
            }
            for index in 1..=stages {
                let green = u8::try_from(index * 100 / stages).unwrap_or(100);
                let errors = rate(error_rate().below(Quantity::Share(GATE_SHARE)));
                let latency = periods(
                    Signal::Metric(Metric::LatencyP95).below(Quantity::Millis(GATE_MILLIS)),
                    Quantity::Share(0.95),
                );
                builder = builder.stage(
                    stage(format!("stage-{index}"), 100 - green, green, Span::minutes(bake))
                        .deadline_in_bakes(deadline)
                        .gate("error-rate", errors)
                        .gate("latency-p95", latency)
                        .gate("http-5xx", sum(Signal::Metric(Metric::Http5xx).equal(Quantity::Number(0.0)))),
                );
            }
            builder.build()
        },
    )
}

/// The same policies, some steps of which wait for a person.
pub fn policies_with_approvals() -> impl Strategy<Value = Policy> {
    let limit = (1..400_u32).prop_map(|minutes| Approval::Within(Span::minutes(minutes)));
    let approval = prop_oneof![2 => Just(Approval::NotRequired), 2 => Just(Approval::Required), 1 => limit];
    (policies(), prop::collection::vec(approval, 4), any::<bool>()).prop_map(
        |(mut policy, approvals, last)| {
            for (stage, approval) in policy.stages.iter_mut().zip(approvals) {
                stage.approval = approval;
            }
            policy.decommission.approval = if last { Approval::Required } else { Approval::NotRequired };
            policy
        },
    )
}

/// Tighter than every trigger that [`policies`] makes, so that no gate is looser than its trigger.
const GATE_SHARE: f64 = 0.001;
const GATE_MILLIS: f64 = 300.0;

fn error_rate() -> Signal {
    Signal::Rate { part: Metric::Errors, whole: Metric::Requests }
}

fn triggers() -> impl Strategy<Value = WatchRule> {
    let share = (1..=50_u32).prop_map(|thousandths| Quantity::Share(f64::from(thousandths) / 1000.0));
    let millis = (300..3_000_u32).prop_map(|millis| Quantity::Millis(f64::from(millis)));
    prop_oneof![
        (share.clone(), 1..=2_u32).prop_map(|(limit, n)| consecutive(error_rate().above(limit), n)),
        millis.prop_map(|limit| period(Signal::Metric(Metric::LatencyP95).above(limit))),
        (share.clone(), 1..=2_u32).prop_map(|(limit, m)| m_of_n(error_rate().above(limit), m, 2)),
        (share, 1..=2_u32).prop_map(|(limit, window)| ratio(error_rate().above(limit), window)),
    ]
}
