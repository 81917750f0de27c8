//! Leases: one row for each record name, and its fencing token only grows.

use std::time::Duration;

use mpac_deploy_core::ids::{FencingToken, RecordName};
use mpac_deploy_core::port::{JournalError, Lease};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::moment::Moment;
use super::records::{from_sql, to_sql};
use super::worker::Fault;

/// The latest lease on a record name.
struct Held {
    fence: i64,
    /// `None` once it was given up.
    holder: Option<String>,
    until: Moment,
}

impl Held {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let until = Moment { boot: row.get(2)?, steady: row.get(3)?, wall: row.get(4)? };
        Ok(Self { fence: row.get(0)?, holder: row.get(1)?, until })
    }
}

fn latest(connection: &Connection, name: &RecordName) -> rusqlite::Result<Option<Held>> {
    let select = "SELECT fence, holder, boot, steady_until, wall_until FROM lease WHERE name = ?1";
    connection.query_row(select, [name.as_str()], Held::of).optional()
}

/// Whether a lease is still the latest and not given up.
pub(super) fn check(connection: &Connection, lease: &Lease) -> Result<(), Fault> {
    match latest(connection, &lease.record)? {
        Some(held) if held.fence == to_sql(lease.fence.0) && held.holder.as_ref() == Some(&lease.holder) => {
            Ok(())
        }
        Some(_) | None => Err(JournalError::LeaseLost.into()),
    }
}

pub(super) fn acquire(
    connection: &Connection,
    name: &RecordName,
    holder: &str,
    ttl: Duration,
) -> Result<Lease, Fault> {
    let now = Moment::now();
    let latest = latest(connection, name)?;
    if let Some(Held { holder: Some(by), until, .. }) = &latest
        && by != holder
        && !until.has_come(&now)
    {
        return Err(JournalError::Held { record: name.clone(), by: by.clone() }.into());
    }
    let fence = latest.map_or(1, |held| held.fence + 1);
    let until = now.after(ttl);
    connection.execute(
        "INSERT OR REPLACE INTO lease (name, fence, holder, boot, steady_until, wall_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![name.as_str(), fence, holder, until.boot, until.steady, until.wall],
    )?;
    Ok(Lease { record: name.clone(), holder: holder.into(), fence: FencingToken(from_sql(fence)) })
}

pub(super) fn renew(connection: &Connection, lease: &Lease, ttl: Duration) -> Result<(), Fault> {
    check(connection, lease)?;
    let until = Moment::now().after(ttl);
    connection.execute(
        "UPDATE lease SET boot = ?2, steady_until = ?3, wall_until = ?4 WHERE name = ?1",
        params![lease.record.as_str(), until.boot, until.steady, until.wall],
    )?;
    Ok(())
}

pub(super) fn release(connection: &Connection, lease: &Lease) -> Result<(), Fault> {
    check(connection, lease)?;
    connection.execute("UPDATE lease SET holder = NULL WHERE name = ?1", [lease.record.as_str()])?;
    Ok(())
}
