//! Commands that people post from other machines.
//!
//! A command is an item under its own id, so that posting it twice is posting it once. A counter gives it its place in the order.

use async_trait::async_trait;
use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::Command;
use mpac_deploy_core::port::{Inbox, JournalError, PortError, Reply};
use serde::de::DeserializeOwned;

use super::DynamoJournal;
use super::calls::{Order, Sort, Written};
use super::change::Change;
use super::item::{Item, n, name, number, s, text};
use super::keys::{COMMANDS, Key};
use super::patience::patiently;

#[async_trait]
impl Inbox for DynamoJournal {
    async fn post(&self, rollout: &RolloutId, id: &CommandId, command: &Command) -> Result<(), PortError> {
        let key = Key::command(rollout, id);
        if self.command(&key).await?.is_some() {
            return Ok(());
        }
        let (counter, next) = (Key::counter(rollout), Change::new().count_up(name::PLACE));
        let place = match patiently(|| self.calls.update(&counter, next.clone())).await.map_err(port)? {
            Written::Done(item) => number(&item, name::PLACE).map_err(port)?,
            Written::Refused(_) => return Err(PortError::Unavailable("the command got no place".into())),
        };
        let command =
            serde_json::to_string(command).map_err(|error| PortError::Refused(error.to_string()))?;
        let posted = Change::new()
            .set(name::PLACE, n(place))
            .set(name::ID, s(id.as_str()))
            .set(name::COMMAND, s(command))
            .only_if_absent(name::COMMAND);
        patiently(|| self.calls.write(&key, posted.clone())).await.map(drop).map_err(port)
    }

    async fn waiting(&self, rollout: &RolloutId) -> Result<Vec<(CommandId, Command)>, PortError> {
        let (partition, sort) = (Key::counter(rollout).partition, Sort::Prefix(COMMANDS.into()));
        let items = patiently(|| self.calls.query(&partition, &sort, Order::Ascending, None)).await;
        let mut waiting = Vec::new();
        for item in items.map_err(port)?.iter().filter(|item| !item.contains_key(name::REPLY)) {
            let id = CommandId::new(text(item, name::ID).map_err(port)?);
            let place = number(item, name::PLACE).map_err(port)?;
            waiting.push((place, id, read(item, name::COMMAND)?));
        }
        waiting.sort_by_key(|(place, ..)| *place);
        Ok(waiting.into_iter().map(|(_, id, command)| (id, command)).collect())
    }

    async fn reply(&self, rollout: &RolloutId, id: &CommandId, reply: &Reply) -> Result<(), PortError> {
        let key = Key::command(rollout, id);
        let text = serde_json::to_string(reply).map_err(|error| PortError::Refused(error.to_string()))?;
        let replied = Change::new()
            .set(name::REPLY, s(text))
            .only_if_present(name::COMMAND)
            .only_if_absent(name::REPLY);
        if patiently(|| self.calls.write(&key, replied.clone())).await.map_err(port)? {
            return Ok(());
        }
        // There is a reply already, unless there is no such command.
        self.posted(&key, id).await.map(drop)
    }

    async fn reply_to(&self, rollout: &RolloutId, id: &CommandId) -> Result<Option<Reply>, PortError> {
        let item = self.posted(&Key::command(rollout, id), id).await?;
        item.contains_key(name::REPLY).then(|| read(&item, name::REPLY)).transpose()
    }
}

impl DynamoJournal {
    async fn command(&self, key: &Key) -> Result<Option<Item>, PortError> {
        patiently(|| self.calls.get(key)).await.map_err(port)
    }

    async fn posted(&self, key: &Key, id: &CommandId) -> Result<Item, PortError> {
        let found = self.command(key).await?;
        found.ok_or_else(|| PortError::NotFound(format!("no command {id} was posted")))
    }
}

fn read<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, PortError> {
    let text = text(item, name).map_err(port)?;
    serde_json::from_str(&text)
        .map_err(|error| PortError::Refused(format!("a {name} cannot be read: {error}")))
}

fn port(error: JournalError) -> PortError {
    match error {
        JournalError::Unavailable(why) => PortError::Unavailable(why),
        JournalError::Held { .. }
        | JournalError::LeaseLost
        | JournalError::Conflict { .. }
        | JournalError::Damaged(_)
        | JournalError::Newer(_)
        | _ => PortError::Refused(error.to_string()),
    }
}
