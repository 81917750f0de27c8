//! A line for each notice.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use async_trait::async_trait;
use mpac_deploy_core::decision::{Decision, Severity};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Notify, PortError};
use tokio::sync::oneshot;

/// Lines that wait for a reader who does not read; a terminal that is stopped holds up this many, and no rollout.
const WAITING: usize = 64;

/// A line for each notice, to standard error or any other writer.
///
/// A thread of its own writes: whoever stopped reading stops that thread, and nothing else. What is not printable in a notice is escaped, so that a
/// name or a reason cannot drive the terminal.
///
/// ```
/// use mpac_deploy_services::notify::Lines;
///
/// let notify = Lines::to_stderr()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lines(SyncSender<Job>);

type Job = (String, oneshot::Sender<io::Result<()>>);

impl Lines {
    /// To standard error.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn to_stderr() -> io::Result<Self> {
        Self::to(io::stderr())
    }

    /// To a writer.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn to(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(WAITING);
        std::thread::Builder::new().name("notify".into()).spawn(move || write(writer, &jobs))?;
        Ok(Self(sender))
    }
}

/// Until the notifier is dropped.
fn write(mut writer: impl Write, jobs: &Receiver<Job>) {
    for (line, done) in jobs {
        let result = writer.write_all(line.as_bytes()).and_then(|()| writer.flush());
        // Whoever asked may have lost patience.
        drop(done.send(result));
    }
}

#[async_trait]
impl Notify for Lines {
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        let (done, written) = oneshot::channel();
        self.0.try_send((line(rollout, decision), done)).map_err(|error| match error {
            TrySendError::Full(_) => PortError::Unavailable("nobody reads the notices".into()),
            TrySendError::Disconnected(_) => PortError::Refused("the notices' thread is gone".into()),
        })?;
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(PortError::Refused(format!("the notice cannot be written: {error}"))),
            Err(_) => Err(PortError::Refused("the notices' thread is gone".into())),
        }
    }
}

fn line(rollout: &RolloutId, decision: &Decision) -> String {
    let severity = match decision.severity() {
        Severity::Info => "info",
        Severity::Warning => "WARNING",
        Severity::Error => "ERROR",
        Severity::Critical => "CRITICAL",
    };
    let place = [&decision.stage, &decision.rule].into_iter().flatten();
    let place: String = place.map(|word| format!(" {word}")).collect();
    let (at, kind, reason) = (decision.at, decision.kind.as_str(), &decision.reason);
    format!("{}\n", printable(&format!("{at} {severity} {rollout} {kind}{place}: {reason}")))
}

fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
