//! How fast the server of the copies is, measured on a sample.

use std::time::Instant;

use mpac_deploy_core::port::PortError;

use crate::run::database::Database;
use crate::run::session::Session;

/// Rows of the sample (ours): with its index some 30 MB, which takes a second or two to make and is far beyond what a call costs.
const ROWS: u32 = 200_000;
/// No rate is measured over less: a clock that ticks once would make it infinite.
const SHORTEST: f64 = 1e-3;

/// Bytes of a table in a second, indexes included where they are written too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// Every row is read.
    pub(super) scan: f64,
    /// An index is built.
    pub(super) index: f64,
    /// The table and its indexes are written anew.
    pub(super) rewrite: f64,
    /// Every row gets a new version, and every index an entry.
    pub(super) update: f64,
}

impl Rates {
    /// Measures on a table that is made in a scratch database and stays there. All of it is in memory, so this is as fast as it gets.
    pub(super) async fn measure(database: &Database) -> Result<Self, PortError> {
        let session = Session::open(database).await?;
        let rows = format!(
            "CREATE TABLE mpac_sample AS SELECT id, repeat('x', 80) AS filler FROM generate_series(1, {ROWS}) id; \
             ALTER TABLE mpac_sample ALTER COLUMN id SET NOT NULL"
        );
        session.run(&rows).await?;
        let table = bytes(&session, "pg_table_size").await?;
        let scan =
            seconds(&session, "DO $$ BEGIN PERFORM count(*) FROM mpac_sample WHERE filler IS NULL; END $$")
                .await?;
        let index = seconds(&session, "CREATE INDEX ON mpac_sample (id)").await?;
        let all = bytes(&session, "pg_total_relation_size").await?;
        let rewrite = seconds(&session, "ALTER TABLE mpac_sample ALTER COLUMN id TYPE bigint").await?;
        let update = seconds(&session, "UPDATE mpac_sample SET id = id + 1").await?;
        Ok(Self { scan: table / scan, index: table / index, rewrite: all / rewrite, update: all / update })
    }
}

async fn seconds(session: &Session, sql: &str) -> Result<f64, PortError> {
    let began = Instant::now();
    session.run(sql).await?;
    Ok(began.elapsed().as_secs_f64().max(SHORTEST))
}

async fn bytes(session: &Session, function: &str) -> Result<f64, PortError> {
    let sql = format!("SELECT {function}('mpac_sample')::float8");
    Ok(session.value::<f64>(&sql, &[]).await?.unwrap_or(0.0))
}
