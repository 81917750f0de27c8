//! The commands that people post from other processes.

use mpac_deploy_core::ids::{CommandId, RolloutId};
use mpac_deploy_core::machine::Command;
use mpac_deploy_core::port::{PortError, Reply};
use rusqlite::{Connection, OptionalExtension, params};

pub(super) fn post(
    connection: &Connection,
    rollout: &RolloutId,
    id: &CommandId,
    body: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO command (rollout, id, body) VALUES (?1, ?2, ?3) ON CONFLICT (rollout, id) DO NOTHING",
        params![rollout.as_str(), id.as_str(), body],
    )?;
    Ok(())
}

/// The commands without a reply, in the order in which they were posted. One that this program does not know, since a later one
/// has posted it, is left for another and must not keep an abort behind it waiting.
pub(super) fn waiting(
    connection: &Connection,
    rollout: &RolloutId,
) -> rusqlite::Result<Vec<(CommandId, Command)>> {
    let mut select = connection
        .prepare("SELECT id, body FROM command WHERE rollout = ?1 AND reply IS NULL ORDER BY place")?;
    let rows = select.query_map([rollout.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    let known = |(id, body): (String, String)| match serde_json::from_str(&body) {
        Ok(command) => Some((CommandId::new(id), command)),
        Err(error) => {
            tracing::warn!(%rollout, id, %error, "a command that is not understood is left waiting");
            None
        }
    };
    Ok(rows.into_iter().filter_map(known).collect())
}

/// Keeps a reply, unless there is one.
pub(super) fn reply(
    connection: &Connection,
    rollout: &RolloutId,
    id: &CommandId,
    body: &str,
) -> rusqlite::Result<Result<(), PortError>> {
    let changed = connection.execute(
        "UPDATE command SET reply = ifnull(reply, ?3) WHERE rollout = ?1 AND id = ?2",
        params![rollout.as_str(), id.as_str(), body],
    )?;
    Ok(if changed == 0 { Err(not_posted(rollout, id)) } else { Ok(()) })
}

pub(super) fn reply_to(
    connection: &Connection,
    rollout: &RolloutId,
    id: &CommandId,
) -> rusqlite::Result<Result<Option<Reply>, PortError>> {
    let select = "SELECT reply FROM command WHERE rollout = ?1 AND id = ?2";
    let found: Option<Option<String>> =
        connection.query_row(select, [rollout.as_str(), id.as_str()], |row| row.get(0)).optional()?;
    Ok(match found {
        None => Err(not_posted(rollout, id)),
        Some(None) => Ok(None),
        Some(Some(body)) => serde_json::from_str(&body).map(Some).map_err(|error| {
            PortError::Refused(format!("the reply to command {id} of {rollout} cannot be read: {error}"))
        }),
    })
}

fn not_posted(rollout: &RolloutId, id: &CommandId) -> PortError {
    PortError::NotFound(format!("no command {id} was posted for {rollout}"))
}
