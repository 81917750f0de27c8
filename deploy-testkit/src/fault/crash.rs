//! Points at which a controller is killed: just before or just after a call.

use tokio::sync::Notify;

use super::Call;
use crate::fakes::lock::Lock;

/// Where and when a controller is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrashPoint {
    /// Which calls are counted.
    pub place: Place,
    /// The number of the call, from 1, over all controllers of the simulation.
    pub number: u64,
    /// Whether the call is still made.
    pub moment: Moment,
}

/// Which calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Appends to the journal.
    Append,
    /// Calls that run an effect.
    Effect,
}

/// Whether the call at which a controller is killed is still made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// Nothing was done.
    Before,
    /// It was done, and nobody heard the answer.
    After,
}

/// The points that are still to come.
#[derive(Debug, Default)]
pub struct Crashes {
    state: Lock<State>,
    death: Notify,
}

#[derive(Debug, Default)]
struct State {
    points: Vec<CrashPoint>,
    appends: u64,
    effects: u64,
}

impl Crashes {
    pub(super) fn new(points: &[CrashPoint]) -> Self {
        let state = State { points: points.to_vec(), appends: 0, effects: 0 };
        Self { state: Lock::new(state), death: Notify::new() }
    }

    /// Waits until the controller is to be killed. Whoever waits must then drop it.
    pub async fn reached_one(&self) {
        self.death.notified().await;
    }

    /// Counts a call, and takes the point that it has reached, if any.
    pub(super) fn reached(&self, call: Call) -> Option<Moment> {
        let mut state = self.state.get();
        let (place, count) = if call == Call::JournalAppend {
            (Place::Append, &mut state.appends)
        } else if call.is_effect() {
            (Place::Effect, &mut state.effects)
        } else {
            return None;
        };
        *count += 1;
        let number = *count;
        let at = state.points.iter().position(|point| point.place == place && point.number == number)?;
        Some(state.points.swap_remove(at).moment)
    }

    /// Says that the controller is to be killed, and never returns.
    pub(super) async fn die<T>(&self) -> T {
        self.death.notify_one();
        std::future::pending().await
    }
}
