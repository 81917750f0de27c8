//! What a command answers, and how it fails.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

/// The exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Done as asked.
    Done,
    /// The rollout rolled back, or a check found something.
    Found,
    /// Unusable input.
    Unusable,
    /// The world could not be reached.
    Unreachable,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::Found => 1,
            Status::Unusable => 2,
            Status::Unreachable => 3,
        })
    }
}

/// What goes to standard output, and the exit status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: Status,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn done(text: String) -> Self {
        Self { status: Status::Done, text }
    }

    pub(crate) fn json(status: Status, document: &impl Serialize) -> Result<Self, Failure> {
        let mut text = serde_json::to_string_pretty(document)
            .map_err(|error| Failure::Input(format!("the answer cannot be written as JSON: {error}")))?;
        text.push('\n');
        Ok(Self { status, text })
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(clap::Error),
    /// Something that was given cannot be used.
    #[error("{0}")]
    Input(String),
    /// The world is not such that it could be done, and nothing was.
    #[cfg_attr(not(feature = "database"), allow(dead_code, reason = "of the commands that act on a world"))]
    #[error("{0}")]
    Found(String),
    /// The world of the rollout did not answer.
    #[error("{0}")]
    World(String),
}

impl Failure {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Usage(_) | Self::Input(_) => Status::Unusable,
            Self::Found(_) => Status::Found,
            Self::World(_) => Status::Unreachable,
        }
    }

    /// For standard error.
    pub(crate) fn for_people(&self) -> String {
        match self {
            // clap says `error: ` itself.
            Self::Usage(error) => error.render().to_string(),
            Self::Input(_) | Self::Found(_) | Self::World(_) => format!("error: {self}\n"),
        }
    }

    /// For standard output, with `--json`.
    pub(crate) fn as_json(&self) -> String {
        let text = match self {
            Self::Usage(error) => error.render().to_string().trim_start_matches("error: ").trim().to_owned(),
            Self::Input(_) | Self::Found(_) | Self::World(_) => self.to_string(),
        };
        format!("{:#}\n", json!({ "error": text }))
    }
}
