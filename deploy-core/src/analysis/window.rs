//! Windows of constant size: each is allocated once and takes a sample in constant time.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::policy::WithoutValue;

/// A run of breaching values (semantics 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunLength {
    needed: u32,
    without_value: WithoutValue,
    run: u32,
    gap: u32,
}

impl RunLength {
    pub(super) const fn new(needed: u32, without_value: WithoutValue) -> Self {
        Self { needed, without_value, run: 0, gap: 0 }
    }

    /// Takes a period: whether its value breaches, or `None` where there is no value.
    pub(super) fn push(&mut self, breach: Option<bool>) {
        match (breach, self.without_value) {
            (Some(true), _) | (None, WithoutValue::Breach) => {
                self.gap = 0;
                self.run = self.run.saturating_add(1);
            }
            (Some(false), _) | (None, WithoutValue::Reset) => {
                self.gap = 0;
                self.run = 0;
            }
            (None, WithoutValue::Skip) => {
                self.gap = self.gap.saturating_add(1);
                if self.gap >= self.needed {
                    self.run = 0;
                }
            }
        }
    }

    /// Whether the run is long enough at the period that was taken last: a gap that is skipped does not fire again.
    pub(super) fn is_long_enough(&self, breach: Option<bool>) -> bool {
        let breaches = breach.unwrap_or(self.without_value == WithoutValue::Breach);
        breaches && self.run >= self.needed
    }

    pub(super) const fn run(&self) -> u32 {
        self.run
    }
}

/// Which of the latest periods, at most 64, had something; the newest is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BitWindow(u64);

impl BitWindow {
    pub(super) const fn push(&mut self, bit: bool) {
        self.0 = (self.0 << 1) | bit as u64;
    }

    /// How many of the latest `n` periods had it.
    pub(super) const fn count_of(self, n: u32) -> u32 {
        (self.0 & mask(n)).count_ones()
    }

    /// Whether the latest `n` periods all had it.
    pub(super) const fn all_of(self, n: u32) -> bool {
        self.0 & mask(n) == mask(n)
    }
}

const fn mask(n: u32) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}

/// The sums of `N` values over the latest periods.
///
/// A running sum of doubles drifts, so the sums are taken anew from the ring each time it has gone round once: constant
/// time on average. Sums of whole numbers below 2^53 are exact in any case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "[f64; N]: Serialize", deserialize = "[f64; N]: Deserialize<'de>"))]
pub(super) struct SumRing<const N: usize> {
    ring: Vec<Option<[f64; N]>>,
    next: usize,
    seen: usize,
    sums: [f64; N],
}

impl<const N: usize> SumRing<N> {
    pub(super) fn new(window: u32) -> Self {
        Self { ring: vec![None; window.max(1) as usize], next: 0, seen: 0, sums: [0.0; N] }
    }

    pub(super) fn push(&mut self, values: Option<[f64; N]>) {
        if let Some(slot) = self.ring.get_mut(self.next) {
            let old = core::mem::replace(slot, values);
            for (index, sum) in self.sums.iter_mut().enumerate() {
                let part =
                    |values: Option<[f64; N]>| values.and_then(|v| v.get(index).copied()).unwrap_or(0.0);
                *sum += part(values) - part(old);
            }
        }
        self.next = (self.next + 1) % self.ring.len();
        self.seen = (self.seen + 1).min(self.ring.len());
        if self.next == 0 {
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        self.sums = [0.0; N];
        for values in self.ring.iter().flatten() {
            for (sum, value) in self.sums.iter_mut().zip(values) {
                *sum += value;
            }
        }
    }

    /// The sums, once the window is full of periods.
    pub(super) fn sums(&self) -> Option<[f64; N]> {
        (self.seen == self.ring.len()).then_some(self.sums)
    }
}

/// The latest values of a signal, oldest first, for a line through them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ValueRing {
    ring: Vec<Option<f64>>,
    next: usize,
    seen: usize,
}

impl ValueRing {
    pub(super) fn new(window: u32) -> Self {
        Self { ring: vec![None; window.max(1) as usize], next: 0, seen: 0 }
    }

    pub(super) fn push(&mut self, value: Option<f64>) {
        if let Some(slot) = self.ring.get_mut(self.next) {
            *slot = value;
        }
        self.next = (self.next + 1) % self.ring.len();
        self.seen = (self.seen + 1).min(self.ring.len());
    }

    pub(super) fn is_full(&self) -> bool {
        self.seen == self.ring.len()
    }

    /// `(minutes since the oldest period, value)` of the periods that have one.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        let (newer, older) = self.ring.split_at(self.next);
        older.iter().chain(newer).zip(0_u32..).filter_map(|(value, x)| value.map(|y| (f64::from(x), y)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(without_value: WithoutValue, periods: &[Option<bool>]) -> bool {
        let mut run = RunLength::new(3, without_value);
        periods.iter().for_each(|breach| run.push(*breach));
        periods.last().is_some_and(|latest| run.is_long_enough(*latest))
    }

    #[test]
    fn fewer_gaps_than_the_run_needs_do_not_end_it() {
        let (breach, gap) = (Some(true), None);
        assert!(run(WithoutValue::Skip, &[breach, breach, gap, gap, breach]));
        assert!(!run(WithoutValue::Skip, &[breach, breach, gap, gap, gap, breach]));
        assert!(!run(WithoutValue::Reset, &[breach, breach, gap, breach]));
        assert!(run(WithoutValue::Breach, &[breach, breach, gap]));
    }

    #[test]
    fn a_run_does_not_fire_in_a_period_without_a_value() {
        assert!(!run(WithoutValue::Skip, &[Some(true), Some(true), Some(true), None]));
    }

    #[test]
    fn sixty_four_periods_fit_into_a_mask() {
        let mut bits = BitWindow::default();
        for _ in 0..64 {
            bits.push(true);
        }
        assert!(bits.all_of(64));
        bits.push(false);
        assert_eq!(bits.count_of(64), 63);
    }

    proptest! {
        #[test]
        fn a_running_sum_is_the_sum_of_its_window(
            window in 1..20_u32,
            values in prop::collection::vec(prop::option::of(0..1_000_u32), 1..200),
        ) {
            let mut ring = SumRing::<1>::new(window);
            let window = window as usize;
            for (at, value) in values.iter().enumerate() {
                ring.push(value.map(|v| [f64::from(v)]));
                let expected = (at + 1 >= window).then(|| {
                    values[at + 1 - window..=at].iter().flatten().map(|v| f64::from(*v)).sum::<f64>()
                });
                prop_assert_eq!(ring.sums().map(|[sum]| sum), expected);
            }
        }
    }
}
