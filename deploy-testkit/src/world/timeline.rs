//! When something happens in a world: relative to its start, to a stage, or to the rollback.

use std::time::Duration;

use mpac_deploy_core::time::Timestamp;

/// What a moment is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The start of the world.
    Start,
    /// The moment at which the record took the weights of a stage, counted from 0. The stage's bake begins a minute or two
    /// later.
    Stage(usize),
    /// The moment at which the record took the weights of a rollback.
    Rollback,
}

/// A moment that is known once its anchor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What it is counted from.
    pub anchor: Anchor,
    /// How long after that.
    pub after: Duration,
}

impl Moment {
    /// Minutes after the start of the world.
    #[must_use]
    pub const fn start(minutes: u64) -> Self {
        Self { anchor: Anchor::Start, after: Duration::from_secs(minutes * 60) }
    }

    /// Minutes after a stage's weights were taken; stages count from 0.
    #[must_use]
    pub const fn stage(stage: usize, minutes: u64) -> Self {
        Self { anchor: Anchor::Stage(stage), after: Duration::from_secs(minutes * 60) }
    }

    /// Minutes after the weights of a rollback were taken.
    #[must_use]
    pub const fn rollback(minutes: u64) -> Self {
        Self { anchor: Anchor::Rollback, after: Duration::from_secs(minutes * 60) }
    }
}

/// A stretch of time that is known once its first moment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first moment.
    pub from: Moment,
    /// How long it is; without end if `None`.
    pub lasts: Option<Duration>,
}

impl Window {
    /// From the start of the world, without end.
    pub const ALWAYS: Self = Self::since(Moment::start(0));

    /// From a moment on, without end.
    #[must_use]
    pub const fn since(from: Moment) -> Self {
        Self { from, lasts: None }
    }

    /// From a moment on, for some minutes.
    #[must_use]
    pub const fn minutes(from: Moment, minutes: u64) -> Self {
        Self { from, lasts: Some(Duration::from_secs(minutes * 60)) }
    }

    /// Whether the window covers a time, where its first moment is this.
    #[must_use]
    pub fn covers(&self, from: Timestamp, time: Timestamp) -> bool {
        time >= from && self.lasts.is_none_or(|lasts| time < from.after(lasts))
    }
}

/// Whoever knows when an anchor came, and what time it is.
pub trait Timeline: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// When the anchor came; `None` while it has not.
    fn anchored(&self, anchor: Anchor) -> Option<Timestamp>;

    /// When the moment comes or came; `None` while that is unknown.
    fn moment(&self, moment: Moment) -> Option<Timestamp> {
        Some(self.anchored(moment.anchor)?.after(moment.after))
    }

    /// Whether it is now within the window.
    fn is_within(&self, window: &Window) -> bool {
        self.moment(window.from).is_some_and(|from| window.covers(from, self.now()))
    }
}
