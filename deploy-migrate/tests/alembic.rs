//! Real Alembic projects: the SQL of each revision from Alembic itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

use std::fs;
use std::path::Path;
use std::process::Command;

use mpac_deploy_migrate::discover::{AlembicCommand, Discovered, Discovery};
use mpac_deploy_migrate::{Analyzer, Class, Config, Report};
use tempfile::TempDir;

const CREATE: &str = r#"    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("amount", sa.Numeric(15, 2)),
    )"#;
const RENAME: &str = r#"    op.add_column("payments", sa.Column("note", sa.Text))
    op.alter_column("payments", "amount", new_column_name="total_amount")
    with op.get_context().autocommit_block():
        op.create_index("ix_note", "payments", ["note"], postgresql_concurrently=True)"#;
const ASKS: &str = r#"    for row in op.get_bind().execute(sa.text("SELECT id FROM payments")).fetchall():
        op.execute(f"UPDATE payments SET note = 'x' WHERE id = {row.id}")"#;
const DROP: &str = r#"    op.execute("DROP TABLE payments")"#;

/// A project made by `alembic init`, with these revisions: id, parents, body.
fn project(revisions: &[(&str, &str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    let output = Command::new("alembic").args(["init", "migrations"]).current_dir(dir.path()).output();
    let output =
        output.unwrap_or_else(|error| panic!("needs alembic on the PATH (cargo xtask test): {error}"));
    assert!(output.status.success(), "{output:?}");
    let ini = dir.path().join("alembic.ini");
    let text = fs::read_to_string(&ini).unwrap();
    let text = text.replace("driver://user:pass@localhost/dbname", "postgresql://user:secret@localhost/x");
    fs::write(ini, text).unwrap();
    for (id, parents, body) in revisions {
        let script = format!(
            "\"\"\"{id}\n\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = \"{id}\"\ndown_revision = {parents}\n\n\n\
             def upgrade() -> None:\n{body}\n\n\ndef downgrade() -> None:\n    pass\n"
        );
        fs::write(dir.path().join(format!("migrations/versions/{id}_x.py")), script).unwrap();
    }
    dir
}

fn find(path: &Path, deployed: Option<&str>) -> Discovered {
    let mut discovery = Discovery::default();
    discovery.deployed = deployed.map(str::to_owned);
    discovery.alembic = AlembicCommand::parse("alembic");
    discovery.find(&[path.to_path_buf()]).unwrap_or_else(|error| panic!("{error}"))
}

fn judge(found: &Discovered) -> Report {
    let mut report = Analyzer::new(Config::default()).analyze(&found.migrations);
    report.add(&found.problems);
    report
}

fn told(report: &Report) -> Vec<(usize, Class, Option<&'static str>)> {
    let told = report.statements.iter().map(|statement| {
        let rule = statement.main_finding().map(|finding| finding.rule.id());
        (statement.position.line, statement.class, rule)
    });
    told.collect()
}

#[test]
#[ignore = "needs Alembic: cargo xtask test installs it"]
fn each_revision_is_judged_at_the_lines_of_its_script() {
    let dir = project(&[("a1", "None", CREATE), ("a2", "\"a1\"", RENAME)]);
    let report = judge(&find(dir.path(), None));
    let expected = [
        (11, Class::Expand, None),
        (11, Class::Expand, None),
        (12, Class::Breaking, Some("rename-column")),
        (14, Class::Expand, None),
    ];
    assert_eq!(told(&report), expected);
    assert!(
        report.statements[2].file.ends_with("migrations/versions/a2_x.py"),
        "{}",
        report.statements[2].file
    );
    assert!(
        report.statements[2].findings[0]
            .fix
            .as_ref()
            .unwrap()
            .contains("ADD COLUMN total_amount NUMERIC(15, 2)")
    );
}

#[test]
#[ignore = "needs Alembic: cargo xtask test installs it"]
fn one_script_is_judged_alone() {
    let dir = project(&[("a1", "None", CREATE), ("a2", "\"a1\"", RENAME)]);
    let report = judge(&find(&dir.path().join("migrations/versions/a2_x.py"), None));
    assert_eq!(report.statements.len(), 3);
}

#[test]
#[ignore = "needs Alembic: cargo xtask test installs it"]
fn a_script_that_needs_a_connection_is_named_and_the_others_are_read() {
    let dir = project(&[
        ("a1", "None", CREATE),
        ("a2", "\"a1\"", RENAME),
        ("b2", "\"a1\"", ASKS),
        ("m3", "(\"a2\", \"b2\")", DROP),
    ]);
    let found = find(&dir.path().join("migrations"), None);
    assert_eq!(found.migrations.len(), 3, "{:?}", found.migrations);
    assert_eq!(found.problems.len(), 1);
    let problem = &found.problems[0];
    assert!(problem.file.ends_with("b2_x.py"), "{}", problem.file);
    assert!(problem.message.contains("without a connection"), "{}", problem.message);
    assert!(!problem.message.contains("secret"), "{}", problem.message);
    assert_eq!(judge(&found).unreadable().count(), 1);
}

#[test]
#[ignore = "needs Alembic: cargo xtask test installs it"]
fn what_is_deployed_is_known_and_not_judged() {
    let dir = project(&[("a1", "None", CREATE), ("b2", "\"a1\"", ASKS), ("c3", "\"b2\"", DROP)]);
    let found = find(&dir.path().join("alembic.ini"), Some("b2"));
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(told(&judge(&found)), [(11, Class::Contract, Some("drop-table"))]);
}

#[test]
#[ignore = "needs Alembic: cargo xtask test installs it"]
fn another_branch_is_no_history_and_a_database_may_be_at_several_heads() {
    let dir = project(&[
        ("a1", "None", CREATE),
        ("b1", "\"a1\"", "    op.execute(\"SELECT 1\")"),
        ("c1", "\"a1\"", DROP),
        ("m1", "(\"b1\", \"c1\")", "    pass"),
    ]);
    let drops = |deployed: &str| {
        let report = judge(&find(dir.path(), Some(deployed)));
        report.statements.iter().filter(|it| it.class == Class::Contract).count()
    };
    assert_eq!((drops("b1"), drops("c1"), drops("b1,c1")), (1, 0, 0));
}

#[test]
#[ignore = "needs Alembic: cargo xtask test installs it"]
fn a_comment_in_the_script_allows() {
    let allowed =
        "    # mpac:allow drop-table the service that used it is gone\n    op.drop_table(\"payments\")";
    let dir = project(&[("a1", "None", CREATE), ("a2", "\"a1\"", allowed)]);
    let report = judge(&find(dir.path(), Some("a1")));
    assert_eq!(told(&report), [(12, Class::Expand, None)]);
    assert_eq!(report.statements[0].allowed[0].reason, "the service that used it is gone");
}

#[test]
fn an_alembic_that_is_not_there_is_said() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("alembic.ini"), "[alembic]\n").unwrap();
    let mut discovery = Discovery::default();
    discovery.alembic = AlembicCommand::parse("no-such-program-anywhere alembic");
    let error = discovery.find(&[dir.path().to_path_buf()]).unwrap_err().to_string();
    assert!(
        error.contains("cannot run `no-such-program-anywhere alembic`") && error.contains("--alembic"),
        "{error}"
    );
}
