//! Green beside blue, and memory over time (`decisions.md`: `half.comparison`, `half.memory-leak`).

use mpac_deploy_core::metric::{Metric, Side};

use super::window::{Window, sums};
use crate::recording::Recording;

/// A chance below this is no luck any more.
const CHANCE: f64 = 0.01;
const LATENCY_FACTOR: f64 = 1.3;
const LATENCY_MARGIN_MS: f64 = 20.0;
const LEAK_RISE: f64 = 0.02;
const LEAK_R_SQUARED: f64 = 0.5;

/// Whether green errs more than blue, by more than luck; also if either side had no requests to compare.
pub(super) fn errors_worse(recording: &Recording, window: &Window) -> bool {
    let counts = [
        (Side::Green, Metric::Errors),
        (Side::Green, Metric::Requests),
        (Side::Blue, Metric::Errors),
        (Side::Blue, Metric::Requests),
    ];
    let [eg, rg, eb, rb] = sums(recording, window.span.iter().copied(), counts);
    if rg == 0.0 || rb == 0.0 {
        return true;
    }
    let all = libm::round(eg) + libm::round(eb);
    eg / rg > eb / rb && chance_of_at_least(libm::round(eg), all, rg, rb) < CHANCE
}

/// The chance of `hits` or more out of `all` when each is one with the odds `weight` to `other`: the terms of the
/// binomial distribution, one by one.
pub(super) fn chance_of_at_least(hits: f64, all: f64, weight: f64, other: f64) -> f64 {
    let (p, q) = (weight / (weight + other), other / (weight + other));
    let mut chance = 0.0;
    let mut k = hits;
    while k <= all {
        let ways = libm::lgamma(all + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(all - k + 1.0);
        let term = libm::exp(ways + k * libm::log(p) + (all - k) * libm::log(q));
        // Beyond the mean the terms only fall: what no longer changes the sum never will.
        if k > all * p && chance + term == chance {
            break;
        }
        chance += term;
        k += 1.0;
    }
    chance
}

/// Whether in more than half of the window green's p95 is more than 1.3 times blue's and more than 20 ms above it.
pub(super) fn latency_worse(recording: &Recording, window: &Window) -> bool {
    let p95 = |side, period| recording.value(period, side, &Metric::LatencyP95);
    let worse = window.counted.iter().filter(|period| {
        matches!(
            (p95(Side::Green, **period), p95(Side::Blue, **period)),
            (Some(green), Some(blue)) if green > LATENCY_FACTOR * blue && green - blue > LATENCY_MARGIN_MS
        )
    });
    2 * worse.count() > window.counted.len()
}

/// Whether the least-squares line through memory rises by more than 0.02 over the window and explains half of the variance.
pub(super) fn has_leak(recording: &Recording, window: &Window) -> bool {
    let memory = |period| recording.value(period, Side::Green, &Metric::MemoryUtilization);
    let Some(first) = window.counted.first().copied() else { return false };
    let points: Vec<(f64, f64)> = window
        .counted
        .iter()
        .filter_map(|period| memory(*period).map(|y| (f64::from(period.since(first)), y)))
        .collect();
    let n: f64 = points.iter().map(|_| 1.0).sum();
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let sxx: f64 = points.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
    let sxy: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let syy: f64 = points.iter().map(|(_, y)| (y - mean_y) * (y - mean_y)).sum();
    let (Some((x_first, _)), Some((x_last, _))) = (points.first(), points.last()) else { return false };
    if syy == 0.0 {
        return false;
    }
    let rise = sxy / sxx * (x_last - x_first);
    rise > LEAK_RISE && sxy * sxy / (sxx * syy) >= LEAK_R_SQUARED
}
