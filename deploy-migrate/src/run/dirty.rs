//! golang-migrate's dirty versions: what is proven to have been rolled back is set back, everything else is a person's, with a plan.
//!
//! golang-migrate notes a version as dirty before it runs the file, and as clean afterwards. A file that failed was rolled back as a
//! whole if it is one transaction, but the version stays dirty. `force` believes whoever says it; so it is only said here of what was
//! seen: the file is certainly one transaction, and the schema is line by line what it was before the run.

use mpac_deploy_core::ids::SchemaVersion;
use mpac_deploy_core::port::PortError;
use tokio::time::Instant;

use super::catalog::Catalog;
use super::change::Changing;
use super::files::{self, Files, Way, is_one_transaction};
use super::lines::Lines;
use super::process::Ended;
use super::session::Session;
use super::tool::{GolangMigrate, MigrationTool, Setting};
use super::version::Found;

/// What golang-migrate's `force` calls no version.
const FORCE_NOTHING: &str = "-1";

impl Changing<'_> {
    /// The version that a schema has in truth, noted so again, where a run of ours has left it dirty and is proven to have changed
    /// nothing; `None` where that is not proven.
    pub(super) async fn set_back(
        &self,
        session: &Session,
        setting: &Setting<'_>,
        way: Way,
        found: &Found,
        before: Option<Catalog>,
        until: Instant,
    ) -> Result<Option<SchemaVersion>, PortError> {
        let (MigrationTool::GolangMigrate(tool), Some(before)) = (self.tool, before) else { return Ok(None) };
        let files = Files::read(&tool.directory)?;
        let Some(attempt) = Attempt::of(&files, found, way)? else { return Ok(None) };
        let is_multi = self.database.parameter("x-multi-statement").as_deref() == Some("true");
        if is_multi || !files.half(attempt.file, way).is_some_and(is_one_transaction) {
            return Ok(None);
        }
        let after = Catalog::read(session, &self.tool.table(self.database)).await?;
        if before != after {
            return Ok(None);
        }
        let truth = files::version(attempt.truth);
        let number = attempt.truth.map_or_else(|| FORCE_NOTHING.to_owned(), |number| number.to_string());
        tracing::warn!(target: "mpac_deploy_migrate::run", service = %self.service, version = %truth, "nothing was changed: the version is set back");
        let mut said = Lines::default();
        let program = self.tool.program(setting, vec!["force".to_owned(), number]);
        let ended =
            self.start(&program, &mut said, until.max(Instant::now() + self.limits.lock_timeout * 2)).await?;
        let now = super::change::found(session, self.tool, self.database).await?;
        let is_set = matches!(ended, Ended::Itself(status) if status.success()) && now.is(&truth);
        Ok(is_set.then_some(truth))
    }

    /// What a person must look at, and the two commands of which one is right.
    pub(super) fn plan_for_a_person(&self, found: &Found, way: Option<Way>) -> String {
        let MigrationTool::GolangMigrate(tool) = self.tool else { return String::new() };
        let files = Files::read(&tool.directory).ok();
        let ways = way.map_or(&[Way::There, Way::Back][..], |way| {
            if way == Way::There { &[Way::There] } else { &[Way::Back] }
        });
        let attempts = files.iter().flat_map(|files| {
            ways.iter().filter_map(move |way| Some((*way, Attempt::of(files, found, *way).ok()??, files)))
        });
        let advice: Vec<String> =
            attempts.map(|(way, attempt, files)| attempt.advice(tool, files, way)).collect();
        format!(
            "The schema of {} is at {found}: golang-migrate began and did not note the end. A person must look at what is there in {}, and \
             only then note what is true: {}",
            self.service,
            self.database,
            advice.join("; or ")
        )
    }
}

/// The file of which a dirty version is left.
struct Attempt {
    file: u64,
    /// The version of a schema that it did not change.
    truth: Option<u64>,
    /// The version of one that it did.
    done: Option<u64>,
}

impl Attempt {
    /// Up, the dirty version is the file's own; down, it is the one below.
    fn of(files: &Files, found: &Found, way: Way) -> Result<Option<Self>, PortError> {
        let dirty = files::number(&found.version)?;
        Ok(match way {
            Way::There => dirty.map(|file| Self { file, truth: files.below(file), done: Some(file) }),
            Way::Back => files.above(dirty).map(|file| Self { file, truth: Some(file), done: dirty }),
        })
    }

    fn advice(&self, tool: &GolangMigrate, files: &Files, way: Way) -> String {
        let path = files
            .half(self.file, way)
            .map_or_else(|| format!("version {}", self.file), |path| path.display().to_string());
        let one = if files.half(self.file, way).is_some_and(is_one_transaction) {
            "is one transaction, so it is there as a whole or not at all"
        } else {
            "may be there in part"
        };
        let force = |version: Option<u64>| {
            let number = version.map_or_else(|| FORCE_NOTHING.to_owned(), |number| number.to_string());
            format!("`migrate -path {} -database \"$DATABASE_URL\" force {number}`", tool.directory.display())
        };
        format!(
            "{path} {one}; if nothing of it is there, {}; if all of it is, {}",
            force(self.truth),
            force(self.done)
        )
    }
}
