//! `pause`, `resume`, `promote`, `approve`, `abort`: posted into the journal, obeyed by whoever runs the rollout.

use std::time::{Duration, Instant, SystemTime};

use clap::{Args, ValueEnum};
use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::{Command, CommandKind, Rejected, Rollout};
use mpac_deploy_core::policy::{IssueKind, ManualReason};
use mpac_deploy_core::port::Reply as Answer;
use serde_json::json;

use super::store::{Store, Which, unposted};
use crate::reply::{Failure, Reply, Status};
use crate::runtime;

/// How often the answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Who tells which rollout something, and how.
#[derive(Args, Debug)]
struct SendOptions {
    #[command(flatten)]
    which: Which,
    /// Who you are; it is recorded.
    #[arg(long, value_name = "NAME", env = "USER")]
    by: String,
    /// The command's id: the same command under the same id is obeyed once, however often it is sent.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// For how many seconds to wait until whoever runs the rollout has answered.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
    /// One JSON document on standard output: `{"rollout", "id", "command", "by", "reason", "obeyed", "why"}`.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TellOptions {
    #[command(flatten)]
    send: SendOptions,
    /// Why; it is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct ApproveOptions {
    #[command(flatten)]
    send: SendOptions,
    /// A note to be recorded with the approval; needed with `--force`.
    #[arg(long, value_name = "TEXT", default_value = "", required_if_eq("force", "true"))]
    reason: String,
    /// Which step: a stage's name, or `decommission`. If left out: the one that waits now. An approval of one step is never taken for
    /// one of another.
    #[arg(long, value_name = "STEP")]
    gate: Option<String>,
    /// Also while an alert holds or a trigger cannot see.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PromoteOptions {
    #[command(flatten)]
    tell: TellOptions,
    /// Also while an alert holds or a trigger cannot see.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AbortOptions {
    #[command(flatten)]
    tell: TellOptions,
    /// What is wrong: it leads to the way back through the decision matrix.
    #[arg(long, value_enum)]
    because: Because,
    /// Also onto a blue that is known to be unhealthy, and where data in new columns would be lost.
    #[arg(long)]
    force: bool,
}

/// Why a release is taken back: the strategy's manual reasons, and the issues of its matrix by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Because {
    /// Business metrics are not as they should be: traffic goes back.
    BusinessAnomaly,
    /// Customers report issues: traffic goes back.
    CustomerReports,
    /// Security concerns: traffic goes back at once.
    Security,
    /// The data's integrity is in doubt: traffic goes back, green is stopped, the migrations are undone.
    DataIntegrity,
    /// Too many failed requests: traffic goes back.
    HighErrorRate,
    /// Slower than allowed: traffic goes back.
    Performance,
    /// One feature misbehaves behind its flag: the flag is switched off, traffic stays.
    FeatureBug,
}

impl Because {
    const fn issue(self) -> IssueKind {
        match self {
            Self::BusinessAnomaly => ManualReason::BusinessAnomaly.issue(),
            Self::CustomerReports => ManualReason::CustomerReports.issue(),
            Self::Security => ManualReason::Security.issue(),
            Self::DataIntegrity => ManualReason::DataIntegrity.issue(),
            Self::HighErrorRate => IssueKind::HighErrorRate,
            Self::Performance => IssueKind::PerformanceDegradation,
            Self::FeatureBug => IssueKind::FeatureBug,
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

pub(crate) fn pause(options: &TellOptions) -> Result<Reply, Failure> {
    tell(options, "pause", CommandKind::Pause, &options.reason)
}

pub(crate) fn resume(options: &TellOptions) -> Result<Reply, Failure> {
    tell(options, "resume", CommandKind::Resume, &options.reason)
}

pub(crate) fn approve(options: &ApproveOptions) -> Result<Reply, Failure> {
    send(&options.send, "approve", options.reason.clone(), |rollout| {
        let plan = rollout.plan();
        let gate = match &options.gate {
            Some(name) => Some(plan.approval_gate(name).ok_or_else(|| {
                let known: Vec<&str> = plan.approval_gates().map(|gate| plan.gate_name(gate)).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Failure::Input(format!(
                    "no step `{name}` waits for a person by this policy; those that do: {known}"
                ))
            })?),
            None => rollout.awaited_approval(),
        };
        Ok(gate
            .map(|gate| CommandKind::Approve { gate, force: options.force })
            .ok_or_else(|| Rejected::NotAwaited("no step waits for an approval now".into()).to_string()))
    })
}

pub(crate) fn promote(options: &PromoteOptions) -> Result<Reply, Failure> {
    let kind = CommandKind::Promote { force: options.force };
    tell(&options.tell, "promote", kind, &options.tell.reason)
}

pub(crate) fn abort(options: &AbortOptions) -> Result<Reply, Failure> {
    let kind = CommandKind::Abort { issue: options.because.issue(), force: options.force };
    let why = format!("{}: {}", options.because.name(), options.tell.reason);
    tell(&options.tell, "abort", kind, &why)
}

fn tell(options: &TellOptions, word: &str, kind: CommandKind, why: &str) -> Result<Reply, Failure> {
    if options.reason.trim().is_empty() {
        return Err(Failure::Input("say why (`--reason`): it is recorded".into()));
    }
    send(&options.send, word, why.to_owned(), |_| Ok(Ok(kind)))
}

/// What is wanted of a rollout, or why that cannot be.
type Wanted = Result<CommandKind, String>;

fn send(
    options: &SendOptions,
    word: &str,
    why: String,
    wanted: impl FnOnce(&Rollout) -> Result<Wanted, Failure>,
) -> Result<Reply, Failure> {
    if options.by.trim().is_empty() {
        return Err(Failure::Input("say who you are (`--by`): it is recorded".into()));
    }
    let id = options.id.clone().unwrap_or_else(|| fresh_id(word));
    runtime::start()?.block_on(async {
        let store = options.which.open().await?;
        let rollout = options.which.find(&store).await?.rollout;
        let (rollout_id, id) = (rollout.id().clone(), CommandId::new(id));
        let answer = if rollout.has_obeyed(&id) {
            Answer::Obeyed
        } else if let Some(outcome) = rollout.outcome() {
            too_late(&outcome.to_string())
        } else {
            match wanted(&rollout)? {
                Err(why) => Answer::Rejected { why },
                Ok(kind) => {
                    let command = Command { kind, by: options.by.clone(), why: why.clone() };
                    store.inbox.post(&rollout_id, &id, &command).await.map_err(|error| unposted(&error))?;
                    wait_for_answer(&store, &rollout_id, &id, Duration::from_secs(options.wait)).await?
                }
            }
        };
        reply(options, word, &why, &rollout_id, &id, &answer)
    })
}

/// Nobody else makes this one: the moment and the process.
fn fresh_id(word: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{word}-{}-{}", now.as_nanos(), std::process::id())
}

fn too_late(outcome: &str) -> Answer {
    Answer::Rejected { why: format!("too late: the rollout is over ({outcome})") }
}

async fn wait_for_answer(
    store: &Store,
    rollout: &RolloutId,
    id: &CommandId,
    patience: Duration,
) -> Result<Answer, Failure> {
    let began = Instant::now();
    loop {
        if let Some(answer) = store.inbox.reply_to(rollout, id).await.map_err(|error| unposted(&error))? {
            return Ok(answer);
        }
        if began.elapsed() >= patience {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // It may have ended between the command and the last look of whoever ran it.
    let rollout_now = store.recall(rollout).await?.rollout;
    match rollout_now.outcome() {
        _ if rollout_now.has_obeyed(id) => Ok(Answer::Obeyed),
        Some(outcome) => Ok(too_late(&outcome.to_string())),
        None => Err(Failure::World(format!(
            "nobody has answered in {} s: the command is posted, and is obeyed as soon as somebody runs {rollout}. Ask again with `--id {id}`",
            patience.as_secs()
        ))),
    }
}

fn reply(
    options: &SendOptions,
    word: &str,
    reason: &str,
    rollout: &RolloutId,
    id: &CommandId,
    answer: &Answer,
) -> Result<Reply, Failure> {
    let (status, why) = match answer {
        Answer::Obeyed => (Status::Done, None),
        Answer::Rejected { why } => (Status::Found, Some(why)),
    };
    if options.json {
        let document = json!({
            "rollout": rollout,
            "id": id,
            "command": word,
            "by": options.by,
            "reason": reason,
            "obeyed": why.is_none(),
            "why": why,
        });
        return Reply::json(status, &document);
    }
    let text = match why {
        None => format!("{rollout}: {word} is obeyed, and recorded for {}\n", options.by),
        Some(why) => format!("{rollout}: {word} is refused: {why}\n"),
    };
    Ok(Reply { status, text })
}
