//! How real traffic follows the record: name servers, resolvers that cache, and resolvers that ignore the TTL.

use std::time::Duration;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::time::{Period, Timestamp};

use super::TTL;
use super::history::History;

/// The share of the clients whose resolvers ignore the TTL.
const STUBBORN: f64 = 0.02;
/// How long those keep an answer.
const STUBBORN_TTL: Duration = Duration::from_secs(600);
/// Into how many steps a stretch of time is cut for a mean.
const STEPS: u32 = 20;

/// Green's share of the requests at a moment. Caches were filled evenly over the time that they may keep an answer,
/// so that the share follows a change evenly for as long.
pub(super) fn green(history: &History, time: Timestamp) -> f64 {
    let fresh = mean_answer(history, time, TTL);
    let stubborn = mean_answer(history, time, STUBBORN_TTL);
    fresh.mul_add(1.0 - STUBBORN, stubborn * STUBBORN)
}

/// Green's mean share of the requests over a period.
pub(super) fn green_in(history: &History, period: Period) -> f64 {
    let samples = 6;
    let at = |part: u32| period.start().after(Duration::from_secs(u64::from(part) * 10 + 5));
    (0..samples).map(|part| green(history, at(part))).sum::<f64>() / f64::from(samples)
}

fn mean_answer(history: &History, time: Timestamp, back: Duration) -> f64 {
    let Some(first) = history.weights.first() else { return share(history.initial) };
    let start = Timestamp::from_millis(time.as_millis() - millis(back));
    if start >= history.weights.last().map_or(first.in_sync_at, |last| last.in_sync_at) {
        return answer(history, time);
    }
    let step = back / STEPS;
    (0..STEPS).map(|part| answer(history, start.after(step * part + step / 2))).sum::<f64>()
        / f64::from(STEPS)
}

/// Green's share in the answers of the name servers: they take a change one after the other while it is pending.
fn answer(history: &History, time: Timestamp) -> f64 {
    let mut now = share(history.initial);
    for change in history.weights.iter().take_while(|change| change.at <= time) {
        let takes = change.in_sync_at.since(change.at).as_secs_f64();
        let done = if takes > 0.0 { (time.since(change.at).as_secs_f64() / takes).min(1.0) } else { 1.0 };
        now += (share(change.weights) - now) * done;
    }
    now
}

fn share(weights: ObservedWeights) -> f64 {
    match (f64::from(weights.blue), f64::from(weights.green)) {
        // Two records at 0 share the traffic equally.
        (0.0, 0.0) => 0.5,
        (blue, green) => green / (blue + green),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{WeightChange, epoch};
    use super::*;

    fn changed_to_half() -> History {
        let mut history = History::new(epoch(), ObservedWeights { blue: 100, green: 0 });
        history.weights.push(WeightChange {
            at: epoch(),
            in_sync_at: epoch().after(Duration::from_secs(20)),
            weights: ObservedWeights { blue: 50, green: 50 },
            effect: None,
            direction: None,
            fence: None,
        });
        history
    }

    fn share_after(seconds: u64) -> f64 {
        green(&changed_to_half(), epoch().after(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_change_moves_traffic_over_the_ttl() {
        assert!(share_after(0) < 0.01);
        assert!((0.1..0.4).contains(&share_after(45)));
        assert!((0.48..0.5).contains(&share_after(85)));
    }

    #[test]
    fn a_tail_of_resolvers_ignores_the_ttl() {
        assert!(share_after(300) < 0.4999);
        assert!((share_after(700) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn two_weights_of_zero_share_equally() {
        assert!((share(ObservedWeights { blue: 0, green: 0 }) - 0.5).abs() < 1e-12);
    }
}
