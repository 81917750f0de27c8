//! Shows a rollout to an observer while it runs.

use std::convert::Infallible;

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::DriverHandle;
use mpac_deploy_core::machine::Rollout;
use mpac_deploy_core::time::Timestamp;

use super::FRAME_INTERVAL;
use super::setting::Setting;
use crate::world::WorldView;

/// What an observer is shown.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The virtual time.
    pub now: Timestamp,
    /// The rollout as it stands.
    pub rollout: &'a Rollout,
    /// The world as it is.
    pub view: &'a WorldView,
    /// What was decided and stored since the frame before.
    pub decisions: &'a [Decision],
}

/// Whoever looks at the frames.
pub(super) type Observer<'a> = &'a mut (dyn FnMut(&Frame<'_>) + Send);

/// Shows a frame at every event, and at least every [`FRAME_INTERVAL`]. Never returns.
pub(super) async fn watch(
    setting: &Setting,
    handle: &DriverHandle,
    observer: &mut Option<Observer<'_>>,
) -> Infallible {
    let Some(observer) = observer else { return std::future::pending().await };
    let mut handle = handle.clone();
    let mut shown = 0;
    loop {
        shown += show(setting, &handle, shown, observer);
        tokio::select! {
            biased;
            is_driven = handle.changed() => if !is_driven { std::future::pending::<()>().await },
            () = tokio::time::sleep(FRAME_INTERVAL) => {}
        }
    }
}

/// Shows a frame with what the journal holds beyond `shown` records; says how many those are.
fn show(setting: &Setting, handle: &DriverHandle, shown: usize, observer: &mut Observer<'_>) -> usize {
    let records = setting.journal.records_from(&setting.id, shown);
    let count = records.len();
    let decisions: Vec<Decision> = records.into_iter().flat_map(|record| record.decisions).collect();
    let (rollout, view) = (handle.status(), setting.world.view());
    observer(&Frame { now: view.now, rollout: &rollout, view: &view, decisions: &decisions });
    count
}
