//! Green against blue, and a line through a series: the two statistics that rules rest on.

use serde::{Deserialize, Serialize};

/// Counts of both sides over the same periods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwoRates {
    /// Green's errors.
    pub green_errors: f64,
    /// Green's requests.
    pub green_requests: f64,
    /// Blue's errors.
    pub blue_errors: f64,
    /// Blue's requests.
    pub blue_requests: f64,
}

/// Beyond this many errors the exact sum and the normal approximation agree to three digits at any level that a policy would
/// ask for, and the sum would no longer be short.
const EXACT_UP_TO: f64 = 1e9;

impl TwoRates {
    /// The chance that so many of the errors or more fall on green if both sides err alike: the exact conditional test
    /// of two rates (Przyborowski and Wilenski 1940). `None` if a side has no requests.
    #[must_use]
    pub fn chance_of_luck(&self) -> Option<f64> {
        if !(self.green_requests > 0.0 && self.blue_requests > 0.0) {
            return None;
        }
        // Also where a quotient overflowed: what cannot be compared is not better.
        if self.green_errors / self.green_requests <= self.blue_errors / self.blue_requests {
            return Some(1.0);
        }
        let share = self.green_requests / (self.green_requests + self.blue_requests);
        let green = libm::round(self.green_errors);
        let all = green + libm::round(self.blue_errors);
        Some(binomial_tail(green, all, share))
    }
}

/// The chance of `least` or more successes out of `trials` with the chance `p` each; `p` strictly between 0 and 1.
fn binomial_tail(least: f64, trials: f64, p: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    if trials.is_nan() || trials >= EXACT_UP_TO {
        let z = (least - 0.5 - trials * p) / libm::sqrt(trials * p * (1.0 - p));
        return 0.5 * libm::erfc(z / core::f64::consts::SQRT_2);
    }
    let log_first =
        libm::lgamma(trials + 1.0) - libm::lgamma(least + 1.0) - libm::lgamma(trials - least + 1.0)
            + least * libm::log(p)
            + (trials - least) * libm::log1p(-p);
    let odds = p / (1.0 - p);
    let (mut term, mut sum, mut successes) = (1.0, 1.0, least);
    while successes < trials {
        term *= (trials - successes) / (successes + 1.0) * odds;
        sum += term;
        successes += 1.0;
        // Past the mode every further term is smaller than this one by a growing factor.
        if term < sum * f64::EPSILON && successes > trials * p {
            break;
        }
    }
    (libm::exp(log_first) * sum).min(1.0)
}

/// A least-squares line through points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The rise from the first point to the last.
    pub rise: f64,
    /// The share of the variance that the line explains (r squared); 0 for a level series.
    pub fit: f64,
    /// The number of points.
    pub points: u32,
}

/// The least-squares line through points `(x, y)` in the order of `x`, in two passes: means first, then the squares.
pub fn line_through(points: impl Iterator<Item = (f64, f64)> + Clone) -> Line {
    let (mut count, mut sum_x, mut sum_y) = (0_u32, 0.0, 0.0);
    let (mut first_x, mut last_x) = (None, 0.0);
    for (x, y) in points.clone() {
        count = count.saturating_add(1);
        sum_x += x;
        sum_y += y;
        first_x.get_or_insert(x);
        last_x = x;
    }
    let n = f64::from(count);
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y - mean_y);
        yy += (y - mean_y) * (y - mean_y);
    }
    if xx > 0.0 && yy > 0.0 {
        let rise = xy / xx * (last_x - first_x.unwrap_or(last_x));
        Line { rise, fit: xy * xy / (xx * yy), points: count }
    } else {
        Line { rise: 0.0, fit: 0.0, points: count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn luck(green: (f64, f64), blue: (f64, f64)) -> Option<f64> {
        let (green_errors, green_requests) = green;
        let (blue_errors, blue_requests) = blue;
        TwoRates { green_errors, green_requests, blue_errors, blue_requests }.chance_of_luck()
    }

    #[test]
    fn one_error_beside_none_is_a_coin_toss() {
        assert!((luck((1.0, 1000.0), (0.0, 1000.0)).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn ten_errors_beside_none_are_no_luck() {
        assert!((luck((10.0, 1000.0), (0.0, 1000.0)).unwrap() - 1.0 / 1024.0).abs() < 1e-12);
    }

    #[test]
    fn fewer_errors_are_never_worse() {
        assert_eq!(luck((5.0, 1000.0), (500.0, 1000.0)), Some(1.0));
        assert_eq!(luck((5.0, 0.0), (500.0, 1000.0)), None);
    }

    #[test]
    fn huge_counts_neither_hang_nor_panic() {
        let chance = luck((1e300, 1e301), (1.0, 1e301)).unwrap();
        assert!((0.0..=1.0).contains(&chance));
        assert!(luck((f64::MAX, f64::MAX), (f64::MAX, 1.0)).unwrap() <= 1.0);
    }

    #[test]
    fn a_line_through_a_line_is_itself() {
        let line = line_through((0..30_u32).map(|x| (f64::from(x), 0.4 + 0.01 * f64::from(x))));
        assert!((line.rise - 0.29).abs() < 1e-12 && (line.fit - 1.0).abs() < 1e-9);
        assert_eq!(line_through((0..30_u32).map(|x| (f64::from(x), 0.5))).fit, 0.0);
    }

    proptest! {
        #[test]
        fn the_tail_is_the_sum_of_the_binomial(trials in 1..60_u32, least in 1..60_u32, p in 0.01..0.99_f64) {
            prop_assume!(least <= trials);
            let choose = |k: u32| (0..k).map(|i| f64::from(trials - i) / f64::from(i + 1)).product::<f64>();
            let exact: f64 = (least..=trials)
                .map(|k| choose(k) * p.powi(k as i32) * (1.0 - p).powi((trials - k) as i32))
                .sum();
            let tail = binomial_tail(f64::from(least), f64::from(trials), p);
            prop_assert!((tail - exact).abs() < 1e-9 * exact.max(1e-3), "{tail} {exact}");
        }
    }
}
