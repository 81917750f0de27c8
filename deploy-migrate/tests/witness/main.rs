//! What the rules claim, shown by a real PostgreSQL: the locks by `pg_locks`, the rewrite by the table's file, the scan by
//! its counter, and that old code breaks, or does not, by running the old statement.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod cases;
mod server;

use std::collections::{BTreeMap, BTreeSet};

use cases::{CASES, Case, NOT_SEEN};
use mpac_deploy_migrate::{Analyzer, Break, Config, LockMode, Migration, Rule, Severity, StatementReport};
use server::{Seen, Server};

const REASON_IS_SERVER: &str =
    "needs a PostgreSQL server: cargo xtask test starts one and names it in MPAC_POSTGRES";

#[test]
#[ignore = "needs a PostgreSQL server: cargo xtask test starts one and names it in MPAC_POSTGRES"]
fn every_rule_is_as_postgresql_shows_it() {
    let mut server = Server::connect(REASON_IS_SERVER);
    let version = server.version;
    let known = CASES.iter().filter(|case| case.since <= version);
    let wrong: Vec<String> = known.filter_map(|case| witness(&mut server, case)).collect();
    assert!(wrong.is_empty(), "{} of {} are not so:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_a_case_or_a_reason_for_none() {
    let cased: BTreeSet<&str> = CASES.iter().filter_map(|case| case.rule).collect();
    let excused: BTreeSet<&str> = NOT_SEEN.iter().map(|(rule, _)| *rule).collect();
    for rule in Rule::ALL {
        let here = cased.contains(rule.id());
        assert!(here != excused.contains(rule.id()), "{rule} needs a case or a reason, and not both");
    }
}

/// What is wrong with a claim, if anything is.
fn witness(server: &mut Server, case: &Case) -> Option<String> {
    let report = claim(case, server.version);
    let rule = report.main_finding().map(|finding| finding.rule.id());
    if rule != case.rule {
        return Some(format!("{}\n    is judged {rule:?}, not {:?}", case.statement, case.rule));
    }
    let seen = server.run(case);
    let mut wrong = Vec::new();
    if case.fails {
        let claimed = report.findings.iter().any(|finding| finding.breaks.contains(&Break::Migration));
        let shown = claimed && seen.failed.is_some();
        return (!shown)
            .then(|| format!("{}\n    fails: claimed {claimed}, seen {:?}", case.statement, seen.failed));
    }
    if let Some(why) = &seen.failed {
        return Some(format!("{}\n    fails: {why}", case.statement));
    }
    let claimed = claimed_locks(&report);
    if claimed != seen.locks {
        wrong.push(format!("locks: claimed {claimed:?}, seen {:?}", seen.locks));
    }
    if report.impact.rewrites != seen.rewritten {
        wrong.push(format!("rewrite: claimed {}, seen {}", report.impact.rewrites, seen.rewritten));
    }
    // A rewrite reads the table as well: that is not said twice.
    if !report.impact.rewrites && report.impact.scans != seen.scanned {
        wrong.push(format!("scan: claimed {}, seen {}", report.impact.scans, seen.scanned));
    }
    wrong.extend(broken(&report, &seen));
    (!wrong.is_empty()).then(|| format!("{}\n    {}", case.statement, wrong.join("\n    ")))
}

fn claim(case: &Case, version: u32) -> StatementReport {
    let config = Config::from_toml(&format!("postgres = {version}")).unwrap();
    let before = Migration::new("before.sql", case.before()).as_history();
    let report = Analyzer::new(config).analyze(&[before, Migration::new("now.sql", case.statement)]);
    report.statements.last().unwrap().clone()
}

fn claimed_locks(report: &StatementReport) -> BTreeMap<String, LockMode> {
    report.impact.locks.iter().map(|lock| (lock.table.clone(), lock.mode)).collect()
}

/// Compares what is said to break with what the old statement did before and after.
fn broken(report: &StatementReport, seen: &Seen) -> Option<String> {
    let weighty = || report.findings.iter().filter(|finding| finding.severity > Severity::Note);
    let breaks = |broken: Break| weighty().any(|finding| finding.breaks.contains(&broken));
    let (before, after) = seen.old.as_ref()?;
    let claimed = breaks(Break::OldReads) || breaks(Break::OldWrites);
    let changed = before != after;
    (claimed != changed).then(|| {
        format!("old code: said to break {claimed}, but it answered {before:?} before and {after:?} after")
    })
}
