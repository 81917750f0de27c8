//! What a release changes in a service's schema, from the service's own files.

use std::collections::HashMap;
use std::path::PathBuf;

use mpac_deploy_core::ids::{SchemaVersion, ServiceName};
use mpac_deploy_core::migration::{self, Phase, Statement, Step};

use super::tool::{Alembic, GolangMigrate, MigrationTool, UrlVariable};
use crate::discover::{DiscoverError, Discovered, Discovery};
use crate::facts::{Action, ident, read};
use crate::report::{Problem, StatementReport};
use crate::{Analyzer, Class, Config, Migration, Rule};

/// So many characters of a statement stand in the journal and in refusals.
const SHOWN: usize = 200;

/// Why there is no step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The files cannot be found or read.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// Nothing is between the two versions.
    #[error(
        "no migration of {service} is between {from} and {to}: leave the phase out, or name other versions"
    )]
    Nothing {
        /// Whose schema.
        service: ServiceName,
        /// The version before.
        from: SchemaVersion,
        /// The version after.
        to: SchemaVersion,
    },
    /// A file of the step cannot be run, or not be undone where it may have to be.
    #[error("{file}:{line}: {why}")]
    File {
        /// The file.
        file: String,
        /// The line in it, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

impl MigrationTool {
    /// The step of a phase from one version to another: every statement on the way with its place and its class, and every column that
    /// comes to be. The analysis knows the whole history before it. Whether the phase admits the statements is for
    /// [`Migrations::check`](mpac_deploy_core::migration::Migrations::check) to say, which every plan asks.
    ///
    /// This blocks: it reads files, and asks Alembic for the SQL of each revision.
    ///
    /// # Errors
    /// [`StepError`]: files that cannot be read, no migration between the two versions, a statement that cannot be understood, and in the
    /// expand phase, which a rollback may undo, a file without a way back.
    pub fn step(
        &self,
        service: &ServiceName,
        phase: Phase,
        (from, to): (&SchemaVersion, &SchemaVersion),
        config: &Config,
    ) -> Result<Step, StepError> {
        let found = self.found(Discovery::default(), from, to)?;
        let report = Analyzer::new(config.clone()).analyze(&found.migrations);
        if let Some(problem) = found.problems.iter().find(|problem| stops(problem, phase)) {
            let why = problem.message.clone();
            return Err(StepError::File { file: problem.file.clone(), line: problem.position.line, why });
        }
        if let Some(unread) = report.unreadable().next() {
            let why = unread.message.clone();
            return Err(StepError::File { file: unread.file.clone(), line: unread.position.line, why });
        }
        let texts: HashMap<&str, &Migration> =
            found.migrations.iter().map(|migration| (migration.path(), migration)).collect();
        let new = found.migrations.iter().filter(|migration| !migration.is_history());
        let adds: Vec<String> = new.clone().flat_map(|migration| added(migration.text())).collect();
        if new.count() == 0 {
            return Err(StepError::Nothing { service: service.clone(), from: from.clone(), to: to.clone() });
        }
        let statements = report.statements.iter().map(|statement| described(statement, &texts)).collect();
        Ok(Step { service: service.clone(), from: from.clone(), to: to.clone(), statements, adds })
    }

    pub(super) fn found(
        &self,
        how: Discovery,
        from: &SchemaVersion,
        to: &SchemaVersion,
    ) -> Result<Discovered, DiscoverError> {
        let mut discovery =
            Discovery { deployed: Some(from.to_string()), until: Some(to.to_string()), ..how };
        let path = match self {
            Self::Alembic(Alembic { project, command, url, .. }) => {
                discovery.alembic.clone_from(command);
                discovery.environment.extend(url.iter().map(UrlVariable::dialect_alone));
                project.join("alembic.ini")
            }
            Self::GolangMigrate(GolangMigrate { directory, .. }) => PathBuf::from(directory),
        };
        discovery.find(&[path])
    }
}

/// A gap between versions is for a person to look at, and changes nothing about this step.
fn stops(problem: &Problem, phase: Phase) -> bool {
    match phase {
        Phase::Expand => problem.rule != Rule::VersionGap,
        // Nobody undoes what contracts.
        Phase::Contract => !matches!(problem.rule, Rule::VersionGap | Rule::MissingDown),
    }
}

fn described(statement: &StatementReport, texts: &HashMap<&str, &Migration>) -> Statement {
    let span = statement.span;
    let text =
        texts.get(statement.file.as_str()).and_then(|migration| migration.text().get(span.start..span.end));
    Statement {
        place: format!("{}:{}", statement.file, statement.position.line),
        text: text.map_or_else(|| statement.message.clone(), shown),
        class: match statement.class {
            Class::Neutral => migration::Class::Neutral,
            Class::Expand => migration::Class::Expand,
            Class::Contract => migration::Class::Contract,
            Class::Breaking => migration::Class::Breaking,
        },
    }
}

/// On one line, and no longer than needed to know it.
pub(super) fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches(';');
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Every column that comes to be, those of new tables too: what is written there is lost when the step is undone.
fn added(sql: &str) -> Vec<String> {
    let acts = read(sql).into_iter().flat_map(|statement| statement.acts);
    let mut added = Vec::new();
    for act in acts {
        let (table, columns) = if let Action::AddColumn { table, column } = act.action {
            (table, vec![column])
        } else if let Action::CreateTable { table, temporary: false, columns, .. } = act.action {
            (table, columns)
        } else {
            continue;
        };
        added.extend(columns.iter().map(|column| format!("{table}.{}", ident(&column.name))));
    }
    added
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mpac_deploy_core::migration::Migrations;
    use tempfile::TempDir;

    use super::*;

    /// The strategy's rename, in two phases, after a history of one file.
    const FILES: [(&str, &str); 6] = [
        ("000001_payments.up.sql", "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric);"),
        ("000001_payments.down.sql", "DROP TABLE payments;"),
        (
            "000002_total.up.sql",
            "SET lock_timeout = '2s';\nALTER TABLE payments\n  ADD COLUMN total_amount numeric;\nCREATE TABLE audit (id bigint, \"What\" text);",
        ),
        ("000002_total.down.sql", "DROP TABLE audit; ALTER TABLE payments DROP COLUMN total_amount;"),
        ("000003_drop_amount.up.sql", "SET lock_timeout = '2s';\nALTER TABLE payments DROP COLUMN amount;"),
        ("000003_drop_amount.down.sql", "ALTER TABLE payments ADD COLUMN amount numeric;"),
    ];

    fn directory(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn step(folder: &TempDir, phase: Phase, from: &str, to: &str) -> Result<Step, StepError> {
        let tool = MigrationTool::from(GolangMigrate::new(folder.path()));
        tool.step(&"svc-portal".into(), phase, (&from.into(), &to.into()), &Config::default())
    }

    #[test]
    fn each_phase_is_what_stands_between_its_versions() {
        let folder = directory(&FILES);
        let expand = step(&folder, Phase::Expand, "1", "2").unwrap();
        let classes: Vec<migration::Class> =
            expand.statements.iter().map(|statement| statement.class).collect();
        use migration::Class::{Contract, Expand, Neutral};
        assert_eq!(classes, [Neutral, Expand, Expand]);
        assert_eq!(expand.statements[1].text, "ALTER TABLE payments ADD COLUMN total_amount numeric");
        assert!(expand.statements[1].place.ends_with("000002_total.up.sql:2"), "{expand:?}");
        assert_eq!(expand.adds, ["payments.total_amount", "audit.id", "audit.\"What\""]);
        let contract = step(&folder, Phase::Contract, "2", "3").unwrap();
        assert_eq!(contract.statements.last().map(|statement| statement.class), Some(Contract));
        assert!(contract.adds.is_empty());
        Migrations { expand: vec![expand], contract: vec![contract] }.check().unwrap();
    }

    #[test]
    fn what_contracts_is_refused_before_the_rollout_and_named() {
        let folder = directory(&FILES);
        let expand = vec![step(&folder, Phase::Expand, "1", "3").unwrap()];
        let error = Migrations { expand, contract: Vec::new() }.check().unwrap_err().to_string();
        assert!(error.contains("`ALTER TABLE payments DROP COLUMN amount`"), "{error}");
        assert!(error.contains("000003_drop_amount.up.sql:2") && error.contains("contract phase"), "{error}");
    }

    #[test]
    fn a_step_from_nothing_has_no_history() {
        let folder = directory(&FILES);
        let all = step(&folder, Phase::Expand, "none", "2").unwrap();
        assert_eq!(all.statements.len(), 4);
        assert!(all.adds.contains(&"payments.amount".to_owned()));
    }

    #[test]
    fn what_no_step_can_be_made_of_is_said_with_its_place() {
        let folder = directory(&FILES);
        let refused = |from, to| step(&folder, Phase::Expand, from, to).unwrap_err().to_string();
        assert_eq!(
            refused("3", "3"),
            "no migration of svc-portal is between 3 and 3: leave the phase out, or name other versions"
        );
        assert!(refused("1", "9").contains("no migration has the version 9"));
        assert!(refused("7", "3").contains("no migration has the version 7"));

        let folder = directory(&FILES[..3]);
        let error = step(&folder, Phase::Expand, "1", "2").unwrap_err().to_string();
        assert!(error.contains("000002_total.up.sql:1: version 2 has no way back"), "{error}");
        assert!(step(&folder, Phase::Contract, "1", "2").is_ok(), "nobody undoes what contracts");

        let folder = directory(&[
            ("000001_a.up.sql", "SELECT 1;\nALTER TABEL a;"),
            ("000001_a.down.sql", "SELECT 1;"),
        ]);
        let error = step(&folder, Phase::Expand, "none", "1").unwrap_err().to_string();
        assert!(error.contains("000001_a.up.sql:2: "), "{error}");
    }

    #[test]
    fn a_long_statement_is_cut() {
        let long = format!("SELECT\n  '{}';", "é".repeat(300));
        let text = shown(&long);
        assert!(text.starts_with("SELECT 'éé") && text.ends_with('…'));
        assert_eq!(text.chars().count(), SHOWN + 1);
    }
}
