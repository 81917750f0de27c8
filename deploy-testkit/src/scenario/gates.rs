//! Green is not bad enough for a trigger, and not good enough for a gate.

use super::{Expected, Scenario};
use crate::world::{Fault, Moment, Symptom, Window};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "slow-leak",
            "From the start green's memory grows by 12 points an hour.",
            Expected::RolledBackBy(&["half.memory-leak"]),
        )
        .with_fault(Fault::green(Symptom::Memory(0.36), Window::since(Moment::stage(0, 0))).growing_for(180)),
        Scenario::new(
            "memory-leak-at-half",
            "Under half of the traffic green's memory grows by 20 points an hour.",
            Expected::RolledBackBy(&["half.memory-leak"]),
        )
        .with_fault(Fault::green(Symptom::Memory(0.40), Window::since(Moment::stage(1, 0))).growing_for(120)),
        Scenario::new(
            "latency-creep",
            "From half on green becomes slower and slower, up to fifteen times its latency.",
            Expected::RolledBackBy(&["latency-p95"]),
        )
        .with_fault(Fault::green(Symptom::Latency(15.0), Window::since(Moment::stage(1, 0))).growing_for(20)),
        Scenario::new(
            "latency-spike",
            "At half green is fifteen times as slow for three minutes: too short for the trigger.",
            Expected::Completed,
        )
        .with_fault(Fault::green(Symptom::Latency(15.0), Window::minutes(Moment::stage(1, 10), 3))),
        Scenario::new(
            "green-slower-than-blue",
            "Green is within every limit, but 1.6 times as slow as blue.",
            Expected::RolledBackBy(&["half.comparison"]),
        )
        .with_fault(Fault::green(Symptom::Latency(1.6), Window::ALWAYS)),
        Scenario::new(
            "transactions-failing",
            "From half on 1 % of green's transactions fail, while its requests succeed.",
            Expected::RolledBackBy(&["half.transaction-success"]),
        )
        .with_fault(Fault::green(Symptom::TransactionFailures(0.01), Window::since(Moment::stage(1, 0)))),
        Scenario::new(
            "log-anomalies-at-full",
            "Once green serves everybody its logs show an anomaly every other minute.",
            Expected::RolledBackBy(&["full.log-anomalies"]),
        )
        .with_fault(Fault::green(Symptom::LogAnomalies(0.5), Window::since(Moment::stage(2, 0)))),
        Scenario::new(
            "business-drop-at-full",
            "Once green serves everybody half of the transactions stay away; nothing fails.",
            Expected::RolledBackBy(&["full.business-metrics"]),
        )
        .with_fault(Fault::green(Symptom::Transactions(0.5), Window::since(Moment::stage(2, 0)))),
    ]
}
