//! A status page to mount: all rollouts of a journal, live, with the commands of a person.
//!
//! ```no_run
//! # async fn embed(journal: std::sync::Arc<dyn mpac_deploy_core::port::History>, inbox: std::sync::Arc<dyn mpac_deploy_core::port::Inbox>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use mpac_deploy_services::status::{StatusPage, Token, serve};
//!
//! let page = StatusPage::new(journal).with_commands_by(Token::new("a-long-random-secret")?, inbox);
//! let app = axum::Router::new().nest_service("/deploys", page.router());
//! serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, app).await;
//! # Ok(())
//! # }
//! ```
//!
//! It reads the journal and posts to the inbox, so it works in the process that drives the rollouts and in any other. Nothing that it does is waited for
//! by a rollout.
//!
//! | request | answers |
//! |---|---|
//! | `GET /` | the page: no resource from anywhere else, no inline handler, a fresh nonce |
//! | `GET /api` | `{"commands": "none" \| "token" \| "open", "reasons"}` |
//! | `GET /api/rollouts?limit=50` | the newest rollouts, each in a few words |
//! | `GET /api/rollouts/ID` | one of them: where it stands, its plots, its decisions, what can be commanded |
//! | `GET /api/rollouts/ID/history?after=N` | the decisions, commands and changes after the first `N` records, at most 1000 |
//! | `GET /api/rollouts/ID/events` | server-sent events `rollout`, each with what `GET /api/rollouts/ID` answers |
//! | `POST /api/rollouts/ID/commands` | `{"command", "by", "why"}`, with `force`; for `abort`, `because`; for `approve`, `gate`, and `why` may be left out; `id` makes it safe to repeat |
//! | `GET /api/rollouts/ID/commands/COMMAND` | what became of it: `obeyed`, `rejected` with `why`, or `waiting` |
//!
//! Errors are `{"error": TEXT}`.
//!
//! # Security
//!
//! * Without a token or middleware of the embedder's there are no commands. Whoever may see a rollout is the embedder's to say: the page itself asks nobody.
//! * A command needs the header `mpac-deploy: command`, a body of `application/json`, and no foreign `Origin` or `Sec-Fetch-Site`: another site's
//!   page cannot send one, with a cookie of the embedder's or without.
//! * [`StatusPage::at_hosts`] answers under the names given only, so that a name which is pointed at a loopback address (DNS rebinding) reads nothing.
//! * A body is at most 16 KiB and must arrive within five seconds. [`serve`] also limits the time for headers, the life of a connection and their number; behind
//!   a server of the embedder's these three are that server's.

mod access;
mod answer;
mod api;
mod command;
mod events;
mod film;
mod history;
mod page;
mod plot;
mod serve;
mod shelf;
mod view;

pub use access::{Person, Token, TokenError};
pub use serve::serve;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mpac_deploy_core::port::{History, Inbox};

use access::Commands;
use shelf::Shelf;

/// How often the journal is looked at for whoever watches.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A status page before it is mounted.
#[derive(Clone)]
pub struct StatusPage {
    shelf: Arc<Shelf>,
    commands: Commands,
    hosts: Arc<BTreeSet<String>>,
    look_every: Duration,
}

impl StatusPage {
    /// A page that shows this journal and commands nothing.
    #[must_use]
    pub fn new(journal: Arc<dyn History>) -> Self {
        Self {
            shelf: Arc::new(Shelf::new(journal)),
            commands: Commands::None,
            hosts: Arc::default(),
            look_every: LOOK_EVERY,
        }
    }

    /// Commands for whoever has the token, posted to this inbox.
    #[must_use]
    pub fn with_commands_by(self, token: Token, inbox: Arc<dyn Inbox>) -> Self {
        Self { commands: Commands::ByToken { token, inbox }, ..self }
    }

    /// Commands for everybody who gets here: **only behind middleware that says who that is**. It may put a [`Person`] into the request's extensions, who is
    /// then recorded whatever name a command gives.
    #[must_use]
    pub fn with_commands_behind_middleware(self, inbox: Arc<dyn Inbox>) -> Self {
        Self { commands: Commands::Open { inbox }, ..self }
    }

    /// Answers under these host names only, as `localhost` or `deploys.example.com`, whatever the port.
    #[must_use]
    pub fn at_hosts(self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.into().to_ascii_lowercase()).collect();
        Self { hosts: Arc::new(hosts), ..self }
    }

    /// Looks at the journal so often for whoever watches; once a second unless it is said.
    #[must_use]
    pub fn looking_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// The router, to be served as it is or nested under a path.
    pub fn router(self) -> Router {
        api::router(self)
    }
}
