//! What a person sees while a rollout runs: a line for each decision and for each change of the weights.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::DriverHandle;
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Notify, PortError};
use mpac_deploy_core::time::Timestamp;
use mpac_deploy_core::units::Weights;

use crate::demo::standing;
use crate::words;

/// How often the line at the bottom of a terminal moves.
const TICK: Duration = Duration::from_millis(120);

/// Standard error: lines that stay, and on a terminal one at the bottom that changes in place.
#[derive(Debug)]
pub(super) struct Progress {
    is_shown: bool,
    bar: Option<ProgressBar>,
    weights: Mutex<Option<Weights>>,
}

impl Progress {
    pub(super) fn new(is_shown: bool) -> Self {
        let live = is_shown && io::stderr().is_terminal();
        Self { is_shown, bar: live.then(bar), weights: Mutex::default() }
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        if !self.is_shown {
            return;
        }
        match &self.bar {
            Some(bar) => bar.println(line),
            // Whoever closed standard error sees no more, and the exit status says the rest.
            None => writeln!(io::stderr().lock(), "{}", console::strip_ansi_codes(line)).unwrap_or_default(),
        }
    }

    /// Shows where the rollout stands at every event, until its driver stops.
    pub(super) async fn watch(&self, mut handle: DriverHandle) {
        loop {
            let rollout = handle.status();
            self.weights_are(rollout.now(), rollout.expected_weights());
            if let Some(bar) = &self.bar {
                let weights = rollout.expected_weights();
                bar.set_message(format!("{weights}  {}", standing::doing(&rollout)));
            }
            if !handle.changed().await {
                return;
            }
        }
    }

    /// Says it once, and nothing of the weights with which it began.
    fn weights_are(&self, at: Timestamp, weights: Weights) {
        let before = self.weights.lock().map(|mut latest| latest.replace(weights));
        if let Ok(Some(before)) = before
            && before != weights
        {
            self.say(&format!("  {}  {:<7} {:<13} {weights}", words::clock(at), "", "weights"));
        }
    }

    pub(super) fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The template is our own; one that cannot be read would show as the plain style, not as a panic.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner:.cyan} {wide_msg}");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(TICK);
    bar
}

#[async_trait]
impl Notify for Progress {
    async fn notify(&self, _: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        self.say(&words::decision_line(decision));
        Ok(())
    }
}
