//! What goes in: the text of a migration, and how it is run.

use crate::text::Position;

/// Who runs a migration, which decides whether its statements share a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Each statement by itself, unless the text says `BEGIN`: `psql -f`, and the output of `alembic upgrade --sql`, which says it.
    #[default]
    Plain,
    /// golang-migrate sends the whole file at once: two statements or more are one transaction.
    GolangMigrate,
    /// Everything in one transaction that the tool opens.
    OneTransaction,
}

/// The text of a migration.
///
/// ```
/// use mpac_deploy_migrate::{Migration, Tool};
///
/// let migration = Migration::new("000001_a.up.sql", "SELECT 1;").with_tool(Tool::GolangMigrate).in_release(7);
/// assert_eq!(migration.path(), "000001_a.up.sql");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    path: String,
    text: String,
    tool: Tool,
    release: Option<u64>,
    history: bool,
    positions: Option<Vec<(usize, Position)>>,
}

impl Migration {
    /// A migration under the name that reports give it. It is a release of its own.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            tool: Tool::Plain,
            release: None,
            history: false,
            positions: None,
        }
    }

    /// Says who runs it.
    #[must_use]
    pub fn with_tool(mut self, tool: Tool) -> Self {
        self.tool = tool;
        self
    }

    /// Puts it into one release with all others of this number: what one creates, another may alter, since no code uses it yet.
    #[must_use]
    pub fn in_release(mut self, release: u64) -> Self {
        self.release = Some(release);
        self
    }

    /// It has been applied long ago: what it creates is known, but nothing is reported about it.
    #[must_use]
    pub fn as_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// It was generated: statements that begin at these bytes, in rising order, stand at these places of the file that it is
    /// named after. What only begins or ends a transaction is not reported.
    #[must_use]
    pub fn with_positions(mut self, positions: Vec<(usize, Position)>) -> Self {
        self.positions = Some(positions);
        self
    }

    /// The name that reports give it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who runs it.
    #[must_use]
    pub fn tool(&self) -> Tool {
        self.tool
    }

    pub(crate) fn release(&self) -> Option<u64> {
        self.release
    }

    pub(crate) fn is_generated(&self) -> bool {
        self.positions.is_some()
    }

    /// Where in the file it was generated from something stands.
    pub(crate) fn position(&self, at: usize) -> Option<Position> {
        let positions = self.positions.as_ref()?;
        let next = positions.partition_point(|(start, _)| *start <= at);
        positions.get(next.saturating_sub(1)).map(|(_, position)| *position)
    }

    pub(crate) fn is_history(&self) -> bool {
        self.history
    }
}
