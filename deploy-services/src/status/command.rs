//! A person's command, posted to the inbox, and its reply.

use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::{ApprovalGate, Command, CommandKind};
use mpac_deploy_core::policy::{IssueKind, ManualReason};
use mpac_deploy_core::port::{Inbox, Reply};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::access::{Commands, Person, random_hex};
use super::answer::{Answered, Problem};
use super::{StatusPage, shelf};

/// A command is a few hundred bytes, mostly its reason.
const BODY_BYTES: usize = 16 * 1024;

/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

/// How long a reply is waited for: a controller looks into its inbox every second and must store what it does.
const REPLY_PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked for.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The longest name and the longest reason.
const NAME_CHARS: usize = 100;
const REASON_CHARS: usize = 2000;

/// The longest id of a command.
const ID_CHARS: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    command: Word,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    force: bool,
    because: Option<Because>,
    gate: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Pause,
    Resume,
    Promote,
    Approve,
    Abort,
}

/// Why a release is taken back: one of the strategy's manual reasons, or an issue of its decision matrix by name.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Because {
    Reason(ManualReason),
    Issue(IssueKind),
}

impl Because {
    pub(super) const fn issue(self) -> IssueKind {
        match self {
            Self::Reason(reason) => reason.issue(),
            Self::Issue(issue) => issue,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Reason(reason) => reason.as_str(),
            Self::Issue(issue) => issue.as_str(),
        }
    }

    /// What a person chooses from: the strategy's reasons, and what is put right without moving traffic.
    pub(super) fn choices() -> impl Iterator<Item = Self> {
        ManualReason::ALL.map(Self::Reason).into_iter().chain([Self::Issue(IssueKind::FeatureBug)])
    }
}

pub(super) async fn post(
    State(status): State<StatusPage>,
    Path(rollout): Path<String>,
    person: Option<Extension<Person>>,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    let inbox = status.commands.open(&headers)?;
    let wanted = read(&headers, body).await?;
    let rollout = RolloutId::new(rollout);
    status.shelf.look(&rollout).await?;
    let gate = match &wanted.gate {
        Some(name) => Some(status.shelf.approval_gate(&rollout, name).await?),
        None => None,
    };
    let person = person.map(|Extension(Person(name))| name);
    let (id, command) = understand(wanted, gate, person)?;
    shelf::in_time(async { Ok(inbox.post(&rollout, &id, &command).await?) }).await?;
    tracing::info!(%rollout, command = %id, kind = ?command.kind, by = command.by, "command posted");
    let until = Instant::now() + REPLY_PATIENCE;
    loop {
        let reply = shelf::in_time(async { Ok(inbox.reply_to(&rollout, &id).await?) }).await?;
        if reply.is_some() || Instant::now() >= until {
            return Ok(answer(&id, reply.as_ref()).into_response());
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// What became of a command. Reading it needs no token, as reading the rollout needs none.
pub(super) async fn reply(
    State(status): State<StatusPage>,
    Path((rollout, id)): Path<(String, String)>,
) -> Answered {
    let inbox: &dyn Inbox = match &status.commands {
        Commands::None => return Err(Problem::NoCommands),
        Commands::ByToken { inbox, .. } | Commands::Open { inbox } => inbox.as_ref(),
    };
    let (rollout, id) = (RolloutId::new(rollout), CommandId::new(id));
    let reply = shelf::in_time(async { Ok(inbox.reply_to(&rollout, &id).await?) }).await?;
    Ok(answer(&id, reply.as_ref()).into_response())
}

fn answer(id: &CommandId, reply: Option<&Reply>) -> (StatusCode, axum::Json<Value>) {
    let (status, body) = match reply {
        Some(Reply::Obeyed) => (StatusCode::OK, json!({ "id": id, "reply": "obeyed" })),
        Some(Reply::Rejected { why }) => {
            (StatusCode::CONFLICT, json!({ "id": id, "reply": "rejected", "why": why }))
        }
        None => {
            let why = "no controller has answered yet: it is obeyed when one goes on with the rollout";
            (StatusCode::ACCEPTED, json!({ "id": id, "reply": "waiting", "why": why }))
        }
    };
    (status, axum::Json(body))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Wanted, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::NotJson);
    }
    let bytes = tokio::time::timeout(BODY_PATIENCE, to_bytes(body, BODY_BYTES)).await;
    let bytes = bytes.map_err(|_| Problem::TooSlow)?.map_err(|_| Problem::TooLong)?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::Unfit(format!("this is no command: {error}")))
}

fn understand(
    wanted: Wanted,
    gate: Option<ApprovalGate>,
    person: Option<String>,
) -> Result<(CommandId, Command), Problem> {
    let unfit = |why: &str| Problem::Unfit(why.into());
    let Wanted { command, by, why, force, because, gate: _, id } = wanted;
    let by = person.unwrap_or(by).trim().to_owned();
    let why = why.trim().to_owned();
    let needs_reason = force || !matches!(command, Word::Approve);
    if by.is_empty() || (needs_reason && why.is_empty()) {
        return Err(unfit("say who you are (`by`) and why (`why`): both are recorded"));
    }
    if by.chars().count() > NAME_CHARS || by.chars().any(char::is_control) {
        return Err(unfit("`by` must be a name of at most 100 printable characters"));
    }
    if why.chars().count() > REASON_CHARS {
        return Err(unfit("`why` must have at most 2000 characters"));
    }
    let kind = match (command, because, gate) {
        (Word::Pause, None, None) => CommandKind::Pause,
        (Word::Resume, None, None) => CommandKind::Resume,
        (Word::Promote, None, None) => CommandKind::Promote { force },
        (Word::Approve, None, Some(gate)) => CommandKind::Approve { gate, force },
        (Word::Abort, Some(because), None) => CommandKind::Abort { issue: because.issue(), force },
        (Word::Abort, None, _) => {
            return Err(unfit("an abort needs `because`: `GET api` lists what it can be"));
        }
        (Word::Approve, _, None) => {
            return Err(unfit("an approval needs its `gate`: the rollout's `awaits_approval` names it"));
        }
        (Word::Pause | Word::Resume | Word::Promote | Word::Approve, Some(_), _) => {
            return Err(unfit("`because` is for `abort` only"));
        }
        (Word::Pause | Word::Resume | Word::Promote | Word::Abort, _, Some(_)) => {
            return Err(unfit("`gate` is for `approve` only"));
        }
    };
    // The event knows the row of the matrix only; what the person saw stands in the reason.
    let why = match because {
        Some(because) => format!("{}: {why}", because.as_str()),
        None => why,
    };
    let id = match id {
        Some(id) if is_id(&id) => id,
        Some(_) => return Err(unfit("`id` must be 1 to 64 letters, digits, `-`, `_` or `.`")),
        None => random_hex().ok_or_else(|| Problem::Away("this machine gives no random bytes".into()))?,
    };
    Ok((CommandId::new(id), Command { kind, by, why }))
}

fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=ID_CHARS).contains(&text.len()) && text.bytes().all(fits)
}
