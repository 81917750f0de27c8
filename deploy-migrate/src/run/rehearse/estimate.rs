//! How long a release's migrations take on the target, and how long others wait, as ranges.

use std::collections::HashMap;
use std::time::Duration;

use mpac_deploy_core::port::PortError;
use serde::Serialize;

use super::observe::Seen;
use super::rates::Rates;
use super::report::Observed;
use crate::facts::Action;
use crate::run::session::Session;

/// The target may be so much slower than the sample (ours): its tables come from a disk, others use it at the same time, and it checks
/// constraints and runs triggers that the sample does not have.
const SLOWER: f64 = 10.0;
/// And so much faster: a server of its own beside a small one for copies (ours).
const FASTER: f64 = 4.0;
/// A concurrent build reads the table twice, and waits for everybody in between (PostgreSQL's manual, `CREATE INDEX`).
const CONCURRENT_PASSES: f64 = 2.0;

/// A time from its shortest to its longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Range {
    /// Seconds, if all goes well.
    pub shortest: f64,
    /// Seconds, if much is in the way.
    pub longest: f64,
}

impl Range {
    fn of(seconds: f64) -> Self {
        Self { shortest: seconds / FASTER, longest: seconds * SLOWER }
    }

    fn and(self, other: Self) -> Self {
        Self { shortest: self.shortest + other.shortest, longest: self.longest + other.longest }
    }

    /// The longest, as a duration; what is no number of seconds is as long as can be said.
    #[must_use]
    pub fn longest(self) -> Duration {
        Duration::try_from_secs_f64(self.longest).unwrap_or(Duration::MAX)
    }
}

/// What a statement has to do on the target.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Work {
    /// The file, and the line in it.
    pub place: String,
    /// The tables that it reads or writes as a whole.
    pub tables: Vec<TableSize>,
    /// How long it runs.
    pub runs: Range,
    /// How long from here on writes, or everybody, wait for its locks: to the end of its transaction.
    pub locks: Range,
}

/// How large a table of the target is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TableSize {
    /// The table.
    pub table: String,
    /// Bytes of the table, without its indexes.
    pub bytes: f64,
    /// Bytes of its indexes.
    pub index_bytes: f64,
    /// Rows, as the planner believes; nothing if the table was never analyzed.
    pub rows: Option<f64>,
}

/// How long all of it takes. What a statement does that nobody sees, such as a query that an `INSERT` runs, is not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// How long the migrations run.
    pub runs: Range,
    /// How long writes, or everybody, wait for locks in it.
    pub locks: Range,
    /// The statements that read or write whole tables.
    pub work: Vec<Work>,
    /// Statements of which nobody can say from outside how much they have to do, by their places.
    pub unknown: Vec<String>,
}

/// Adds up what was seen, with the sizes of the target.
pub(super) async fn estimate(target: &Session, rates: Rates, all: &[Seen]) -> Result<Estimate, PortError> {
    let mut estimate = Estimate::default();
    let mut sizes = HashMap::new();
    // Whether a lock that others feel is held, in a transaction that is not over.
    let mut holds = false;
    // Names are those of the observation, which leaves out `public` and nothing else.
    target.run("SET search_path TO public").await?;
    for seen in all {
        holds &= seen.goes_on;
        holds |= seen.observed.locks.iter().flatten().any(|lock| lock.mode.blocks_writes());
        let place = format!("{}:{}", seen.observed.file, seen.observed.line);
        if seen.actions.iter().any(is_unknown) {
            estimate.unknown.push(place.clone());
        }
        let (mut runs, mut tables) = (Range::default(), Vec::new());
        for table in seen.whole_tables() {
            if !sizes.contains_key(table) {
                sizes.insert(table.to_owned(), size(target, table).await?);
            }
            match sizes.get(table) {
                Some(Some(size)) => {
                    runs = runs.and(Range::of(seconds(seen, table, size, rates)));
                    tables.push(size.clone());
                }
                Some(None) | None => estimate.unknown.push(format!("{place} (the target has no {table})")),
            }
        }
        if tables.is_empty() {
            continue;
        }
        let locks = if holds { runs } else { Range::default() };
        estimate.runs = estimate.runs.and(runs);
        estimate.locks = estimate.locks.and(locks);
        estimate.work.push(Work { place, tables, runs, locks });
    }
    Ok(estimate)
}

/// What the sample would take for as much.
fn seconds(seen: &Seen, table: &str, size: &TableSize, rates: Rates) -> f64 {
    let all = size.bytes + size.index_bytes;
    let does = |what: fn(&Action) -> bool| seen.actions.iter().any(what);
    if seen.observed.rewrites.iter().any(|rewritten| rewritten == table) {
        all / rates.rewrite
    } else if does(|action| {
        matches!(action, Action::Update { .. } | Action::Delete { .. } | Action::Merge { .. })
    }) {
        all / rates.update
    } else if does(|action| matches!(action, Action::CreateIndex { concurrently: true, .. })) {
        CONCURRENT_PASSES * size.bytes / rates.index
    } else if does(|action| matches!(action, Action::CreateIndex { .. } | Action::AddConstraint { .. })) {
        size.bytes / rates.index
    } else {
        size.bytes / rates.scan
    }
}

/// Also an index of another method than the sample's, which may take many times as long.
fn is_unknown(action: &Action) -> bool {
    let other_method = matches!(action, Action::CreateIndex { text, .. } if {
        let text = text.to_ascii_uppercase();
        text.contains(" USING ") && !text.contains(" USING BTREE")
    });
    other_method || action.unknown_work().is_some()
}

/// With all partitions; `None` if the target does not have it, under this name: the release may have renamed it.
async fn size(target: &Session, table: &str) -> Result<Option<TableSize>, PortError> {
    let sql = "SELECT sum(pg_table_size(part))::float8, sum(pg_indexes_size(part))::float8, \
               (SELECT reltuples::float8 FROM pg_class WHERE oid = to_regclass($1)::oid) \
               FROM (SELECT to_regclass($1)::oid AS part UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))) parts \
               WHERE part IS NOT NULL";
    let rows = target.rows(sql, &[&table]).await?;
    let row = rows.first();
    let column = |at: usize| row.and_then(|row| row.try_get::<_, Option<f64>>(at).ok().flatten());
    Ok(column(0).map(|bytes| TableSize {
        table: table.to_owned(),
        bytes,
        index_bytes: column(1).unwrap_or(0.0),
        rows: column(2).filter(|rows| *rows >= 0.0),
    }))
}

impl Seen {
    /// The tables that it read or wrote as a whole. Where that was not seen, those that the files name; so too for rows that are changed, since
    /// an empty table is read by an index where a full one is not.
    fn whole_tables(&self) -> Vec<&str> {
        let Observed { rewrites, scans, .. } = &self.observed;
        let changes_rows =
            self.actions.iter().any(|action| matches!(action, Action::Update { .. } | Action::Delete { .. }));
        let is_claimed = scans.is_none() || changes_rows;
        let claimed = self.claimed_scans.iter().filter(|_| is_claimed);
        let mut all: Vec<&str> =
            rewrites.iter().chain(scans.iter().flatten()).chain(claimed).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_it_is_made_of() {
        let range = Range::of(8.0).and(Range::of(4.0));
        assert_eq!(range, Range { shortest: 3.0, longest: 120.0 });
        assert_eq!(range.longest(), Duration::from_secs(120));
        assert_eq!(Range::of(f64::INFINITY).longest(), Duration::MAX);
    }
}
