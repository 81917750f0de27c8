//! A check or a probe as the file has it: one of three ways to ask.

use mpac_deploy_core::policy::Span;
use mpac_deploy_services::checks::{self, AskError};
use serde::{Deserialize, Deserializer, de};

use super::{Text, Words};

/// A question with a name.
#[derive(Debug)]
pub(crate) struct Ask<Name> {
    pub(crate) name: Name,
    how: How,
    deadline: Option<Span>,
}

#[derive(Debug)]
enum How {
    Http { url: Text, status: u16 },
    Command(Vec<Text>),
    Connect(Text),
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<Name> {
    name: Name,
    http: Option<Text>,
    status: Option<u16>,
    command: Option<Vec<Text>>,
    connect: Option<Text>,
    deadline: Option<Span>,
}

impl<'de, Name: Deserialize<'de>> Deserialize<'de> for Ask<Name> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::<Name>::deserialize(deserializer)?;
        let how = match (written.http, written.command, written.connect) {
            (Some(url), None, None) => How::Http { url, status: written.status.unwrap_or(200) },
            (None, _, _) if written.status.is_some() => {
                return Err(de::Error::custom("a `status` belongs to `http`"));
            }
            (None, Some(command), None) if !command.is_empty() => How::Command(command),
            (None, None, Some(address)) => How::Connect(address),
            _ => {
                return Err(de::Error::custom(
                    "say how to ask by exactly one of `http` (a URL), `command` (a program and its arguments) and `connect` (HOST:PORT)",
                ));
            }
        };
        Ok(Self { name: written.name, how, deadline: written.deadline })
    }
}

impl<Name> Ask<Name> {
    /// The question with its words filled in.
    pub(crate) fn filled(&self, words: Words<'_>) -> Result<checks::Ask, AskError> {
        let ask = match &self.how {
            How::Http { url, status } => checks::Ask::http(&url.fill(words))?.expecting(*status),
            How::Command(command) => {
                let mut command = command.iter().map(|text| text.fill(words));
                checks::Ask::command(command.next().unwrap_or_default(), command)
            }
            How::Connect(address) => checks::Ask::connect(address.fill(words)),
        };
        Ok(self.deadline.map_or(ask.clone(), |deadline| ask.within(deadline.duration())))
    }
}
