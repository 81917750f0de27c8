//! Pre-production checks and probes of critical services: an HTTP request, a command, or a connection.
//!
//! ```
//! use std::time::Duration;
//!
//! use mpac_deploy_core::ids::CheckName;
//! use mpac_deploy_core::metric::Metric;
//! use mpac_deploy_services::checks::{Ask, AskedChecks, AskedProbes};
//!
//! let deadline = Duration::from_secs(30);
//! let smoke = Ask::http("https://green.example.internal/health")?.within(deadline);
//! let tests = Ask::command("./integration-tests", ["--against", "green"]).within(deadline * 10);
//! let checks = AskedChecks::new([(CheckName::from("smoke"), smoke), (CheckName::from("integration"), tests)])?;
//!
//! let redis = Ask::connect("redis.example.internal:6379").within(Duration::from_secs(3));
//! let probes = AskedProbes::new([(Metric::RedisUp, redis)])?;
//! # Ok::<(), mpac_deploy_services::checks::AskError>(())
//! ```

mod command;
mod connect;
mod http;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::effect::CheckResult;
use mpac_deploy_core::ids::{CheckName, EffectId};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::port::{Checks, PortError, Probes};

use command::Program;
use http::{Client, Request};

/// How long an answer may take where nothing else is said.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The variables in which a command finds what it is asked about.
pub const COMMAND_VARIABLES: [&str; 4] =
    ["MPAC_DEPLOY_ROLLOUT", "MPAC_DEPLOY_SERVICE", "MPAC_DEPLOY_CHECK", "MPAC_DEPLOY_REVISION"];

/// A question whose answer is yes or no, and how long the answer may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    how: How,
    deadline: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    Http(Request),
    Command(Program),
    Connect(String),
}

/// A question that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The URL is none.
    #[error("`{url}` is no URL that can be asked: write http://HOST/PATH or https://HOST/PATH")]
    Url {
        /// The URL.
        url: String,
    },
    /// The machine's certificates cannot be read.
    #[error("https cannot be spoken: the certificates of this machine cannot be read: {0}")]
    Certificates(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Yes,
    No(String),
    /// Nobody could be asked; it may be otherwise next time.
    Nobody(String),
    /// Nobody can be asked.
    Never(String),
}

impl Ask {
    /// A GET request that must be answered with the status 200.
    ///
    /// # Errors
    /// [`AskError::Url`] when the URL is none of http or https.
    pub fn http(url: &str) -> Result<Self, AskError> {
        Ok(Self { how: How::Http(Request::get(url)?), deadline: DEFAULT_DEADLINE })
    }

    /// The same request, where another status is the right one; a command or a connection has none.
    #[must_use]
    pub fn expecting(mut self, status: u16) -> Self {
        if let How::Http(request) = &mut self.how {
            request.expected = status;
        }
        self
    }

    /// A program that must end with status 0. It is run as it is, without a shell; [`COMMAND_VARIABLES`] say what about.
    #[must_use]
    pub fn command(
        program: impl Into<String>,
        arguments: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { how: How::Command(Program { name: program.into(), arguments }), deadline: DEFAULT_DEADLINE }
    }

    /// A TCP connection to `HOST:PORT` that must be accepted.
    #[must_use]
    pub fn connect(address: impl Into<String>) -> Self {
        Self { how: How::Connect(address.into()), deadline: DEFAULT_DEADLINE }
    }

    /// The same question with another deadline.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn put(&self, client: &Client, about: &[(&str, &str)]) -> Found {
        let asked = async {
            match &self.how {
                How::Http(request) => http::ask(client, request).await,
                How::Command(program) => command::ask(program, about).await,
                How::Connect(address) => connect::ask(address).await,
            }
        };
        let answer = tokio::time::timeout(self.deadline, asked).await;
        answer.unwrap_or_else(|_| Found::Nobody(format!("{self}: no answer within {:?}", self.deadline)))
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::Http(request) => write!(f, "GET {}", request.uri),
            How::Command(program) => program.name.fmt(f),
            How::Connect(address) => write!(f, "connection to {address}"),
        }
    }
}

/// The port [`Checks`], one question for each check.
#[derive(Debug)]
pub struct AskedChecks {
    asks: BTreeMap<CheckName, Ask>,
    client: Client,
}

impl AskedChecks {
    /// These checks.
    ///
    /// # Errors
    /// [`AskError::Certificates`].
    pub fn new(asks: impl IntoIterator<Item = (CheckName, Ask)>) -> Result<Self, AskError> {
        Ok(Self { asks: asks.into_iter().collect(), client: http::client()? })
    }
}

#[async_trait]
impl Checks for AskedChecks {
    async fn run(
        &self,
        id: &EffectId,
        release: &Release,
        check: &CheckName,
    ) -> Result<CheckResult, PortError> {
        let ask = self.asks.get(check);
        let ask = ask.ok_or_else(|| PortError::NotFound(format!("there is no check `{check}`")))?;
        let values = [id.rollout.as_str(), release.service.as_str(), check.as_str(), release.green.as_str()];
        let about: Vec<(&str, &str)> = COMMAND_VARIABLES.into_iter().zip(values).collect();
        match ask.put(&self.client, &about).await {
            Found::Yes => Ok(CheckResult::Passed),
            Found::No(detail) => Ok(CheckResult::Failed { detail }),
            Found::Nobody(why) => Err(PortError::Unavailable(why)),
            Found::Never(why) => Err(PortError::NotFound(why)),
        }
    }
}

/// The port [`Probes`], one question for each critical service.
#[derive(Debug)]
pub struct AskedProbes {
    asks: BTreeMap<Metric, Ask>,
    client: Client,
}

impl AskedProbes {
    /// These probes.
    ///
    /// # Errors
    /// [`AskError::Certificates`].
    pub fn new(asks: impl IntoIterator<Item = (Metric, Ask)>) -> Result<Self, AskError> {
        Ok(Self { asks: asks.into_iter().collect(), client: http::client()? })
    }

    async fn is_up(&self, service: &Metric) -> bool {
        let Some(ask) = self.asks.get(service) else { return false };
        match ask.put(&self.client, &[]).await {
            Found::Yes => true,
            Found::No(why) | Found::Nobody(why) | Found::Never(why) => {
                tracing::warn!(%service, why, "a critical service did not answer its probe");
                false
            }
        }
    }
}

#[async_trait]
impl Probes for AskedProbes {
    async fn probe(&self, services: &[Metric]) -> Vec<bool> {
        futures::future::join_all(services.iter().map(|service| self.is_up(service))).await
    }
}
