//! How each item stands.

use super::columns::unindexed;
use super::{Evidence, Item, LONGEST, Standing};
use crate::class::{Break, Class};
use crate::facts::{Action, Name, read};
use crate::migration::Migration;
use crate::report::{Finding, StatementReport};
use crate::rule::Rule;
use crate::text::Lines;

/// Rules by which a column that code may use is gone, or no longer where it was.
const DROPS: [Rule; 10] = [
    Rule::DropColumn,
    Rule::RenameAsDropAdd,
    Rule::DropTable,
    Rule::DropView,
    Rule::ReplaceView,
    // What depends on these goes with them, or cannot be read any more.
    Rule::DropType,
    Rule::DropObject,
    Rule::RenameColumn,
    Rule::RenameTable,
    Rule::SetSchema,
];
/// Rules by which a type is changed in place.
const TYPES: [Rule; 3] = [Rule::ChangeType, Rule::AlterType, Rule::RenameEnumValue];

type Judged = (Standing, Vec<String>);

fn passed(why: &str) -> Judged {
    (Standing::Passed, vec![why.to_owned()])
}

fn person(what: &str) -> Judged {
    (Standing::NeedsPerson, vec![what.to_owned()])
}

pub(super) fn judge(item: Item, evidence: &Evidence<'_>) -> Judged {
    match item {
        Item::Local => person("that it was run on a developer's machine"),
        Item::Staging => person("that it was run in staging, on as much data as production has"),
        Item::Rollback => rollback(evidence),
        Item::BothVersions => both_versions(evidence),
        Item::Drops => with_unread(drops(evidence), evidence),
        Item::Types => with_unread(types(evidence), evidence),
        Item::Indexes => with_unread(indexes(evidence), evidence),
        Item::Time => time(evidence),
    }
}

/// What cannot be read may do anything: whatever the rest shows, a person has to know.
fn with_unread((standing, why): Judged, evidence: &Evidence<'_>) -> Judged {
    let mut unread = unread(evidence);
    unread.extend(evidence.new_migrations().flat_map(unfollowed));
    match standing {
        Standing::Failed => (standing, why),
        Standing::Passed | Standing::Confirmed if unread.is_empty() => (standing, why),
        Standing::Passed | Standing::Confirmed => (Standing::NeedsPerson, unread),
        Standing::NeedsPerson => {
            let mut all = why;
            all.append(&mut unread);
            (standing, all)
        }
    }
}

fn unread(evidence: &Evidence<'_>) -> Vec<String> {
    let of = |statement: &StatementReport| format!("{}: {}", place(statement), statement.message);
    let unread = evidence.report.unreadable().map(of);
    unread.chain(evidence.rehearsed.iter().flat_map(|rehearsed| rehearsed.unjudged.iter().cloned())).collect()
}

/// Functions that PostgreSQL brings, as far as migrations call them: none changes the schema.
const OF_THE_SERVER: &str = "array_agg avg clock_timestamp coalesce concat count current_database current_schema current_setting currval date_trunc \
    exists format gen_random_uuid generate_series greatest json_agg jsonb_agg jsonb_build_object lastval least length lower \
    max md5 min nextval now nullif pg_get_serial_sequence pg_sleep quote_ident quote_literal random replace set_config \
    setval string_agg substring sum to_char to_regclass trim unnest upper version";

fn is_of_the_server(name: &Name) -> bool {
    match name.schema.as_deref() {
        Some(schema) => schema == "pg_catalog",
        None => OF_THE_SERVER.split(' ').any(|known| known == name.name),
    }
}

/// Statements that run what no file shows.
fn unfollowed(migration: &Migration) -> Vec<String> {
    found_in(migration, |action| {
        if let Action::Runs { calls, .. } = action {
            let own = calls.iter().find(|name| !is_of_the_server(name))?;
            return Some(format!("calls {own}, which is not followed"));
        }
        matches!(action, Action::Opaque { .. }).then(|| "runs what cannot be read".to_owned())
    })
}

fn rollback(evidence: &Evidence<'_>) -> Judged {
    let without: Vec<String> = evidence
        .report
        .statements
        .iter()
        .filter(|statement| statement.findings.iter().any(|finding| finding.rule == Rule::MissingDown))
        .map(|statement| format!("{}: {}", statement.file, statement.message))
        .collect();
    if !without.is_empty() {
        return (Standing::Failed, without);
    }
    match evidence.rehearsed {
        None => {
            let shown =
                person("that the way back was run and leaves the schema as it was: a rehearsal shows it");
            with_unread(shown, evidence)
        }
        Some(rehearsed) if !rehearsed.difference.is_empty() => {
            (Standing::Failed, rehearsed.difference.clone())
        }
        Some(rehearsed) if !rehearsed.unproven.is_empty() => {
            (Standing::NeedsPerson, rehearsed.unproven.clone())
        }
        Some(_) => passed("in the rehearsal the way back left the schema as it was"),
    }
}

/// What the analysis knows to break old code needs no test to be found wrong.
fn both_versions(evidence: &Evidence<'_>) -> Judged {
    let breaks = |finding: &&Finding| {
        let of_old_code = [Break::OldReads, Break::OldWrites].iter().any(|it| finding.breaks.contains(it));
        let is_early = evidence.before_green && finding.class == Class::Contract;
        of_old_code && (is_early || finding.class == Class::Breaking)
    };
    let of = |statement: &StatementReport| {
        let finding = statement.findings.iter().find(breaks)?;
        Some(format!("{}: {}", place(statement), finding.message))
    };
    let wrong: Vec<String> = evidence.report.statements.iter().filter_map(of).collect();
    if wrong.is_empty() {
        return person("that the old code and the new code were tested on the changed schema");
    }
    (Standing::Failed, wrong)
}

fn place(statement: &StatementReport) -> String {
    format!("{}:{}", statement.file, statement.position.line)
}

/// What a person has allowed in the file, with the reason.
fn allowed(evidence: &Evidence<'_>, rules: &[Rule]) -> Vec<String> {
    let of = |statement: &StatementReport| -> Vec<String> {
        let allowed = statement.allowed.iter().filter(|allowed| rules.contains(&allowed.rule));
        allowed
            .map(|allowed| {
                format!("{}: {} is allowed there: {}", place(statement), allowed.rule, allowed.reason)
            })
            .collect()
    };
    evidence.report.statements.iter().flat_map(of).collect()
}

/// Of the other objects few have columns with them.
fn takes_columns(finding: &Finding) -> bool {
    let has_columns =
        || ["drops the schema ", "drops the extension "].iter().any(|it| finding.message.starts_with(it));
    DROPS.contains(&finding.rule) && (finding.rule != Rule::DropObject || has_columns())
}

fn drops(evidence: &Evidence<'_>) -> Judged {
    let (mut wrong, mut open) = (Vec::new(), Vec::new());
    for statement in &evidence.report.statements {
        for finding in statement.findings.iter().filter(|finding| takes_columns(finding)) {
            let line = format!("{}: {}", place(statement), finding.message);
            let is_wrong = evidence.before_green || finding.class == Class::Breaking;
            if is_wrong { &mut wrong } else { &mut open }.push(line);
        }
    }
    if !wrong.is_empty() {
        return (Standing::Failed, wrong);
    }
    if !open.is_empty() {
        open.insert(0, "that by then no code runs that reads or writes this".to_owned());
        return (Standing::NeedsPerson, open);
    }
    passed_or(allowed(evidence, &DROPS), "no column, table or view is dropped that was there before")
}

fn passed_or(allowed: Vec<String>, why: &str) -> Judged {
    if allowed.is_empty() { passed(why) } else { (Standing::Passed, allowed) }
}

fn types(evidence: &Evidence<'_>) -> Judged {
    let found = |rules: &[Rule]| -> Vec<String> {
        let statements = evidence.report.statements.iter();
        statements
            .flat_map(|statement| statement.findings.iter().map(move |finding| (statement, finding)))
            .filter(|(_, finding)| rules.contains(&finding.rule))
            .map(|(statement, finding)| format!("{}: {}", place(statement), finding.message))
            .collect()
    };
    let wrong = found(&TYPES);
    if !wrong.is_empty() {
        return (Standing::Failed, wrong);
    }
    let open = found(&[Rule::WidenType]);
    if !open.is_empty() {
        return (Standing::NeedsPerson, open);
    }
    passed_or(allowed(evidence, &TYPES), "no type is changed in place")
}

fn indexes(evidence: &Evidence<'_>) -> Judged {
    let mut open = unindexed(evidence.new_migrations());
    if open.is_empty() {
        return passed("every column that is added to a table has an index, or none is added");
    }
    open.insert(0, "that nothing looks for rows by these columns".to_owned());
    (Standing::NeedsPerson, open)
}

fn time(evidence: &Evidence<'_>) -> Judged {
    if let Some(longest) = evidence.rehearsed.and_then(|rehearsed| rehearsed.longest) {
        let line = format!("estimated in the rehearsal: {} s at most", longest.ceil());
        let standing = if longest < LONGEST.as_secs_f64() { Standing::Passed } else { Standing::Failed };
        return (standing, vec![line]);
    }
    let mut slow: Vec<String> = evidence.report.statements.iter().filter_map(heavy).collect();
    slow.extend(evidence.new_migrations().flat_map(unknown));
    slow.extend(unread(evidence));
    if slow.is_empty() {
        return passed(
            "no statement reads or writes the rows of a table: however large it is, it takes as long",
        );
    }
    slow.insert(0, "that these take less than 5 minutes in production: a rehearsal estimates it".to_owned());
    (Standing::NeedsPerson, slow)
}

fn heavy(statement: &StatementReport) -> Option<String> {
    let what = if statement.impact.rewrites {
        "writes a whole table"
    } else if statement.impact.scans {
        "reads a whole table"
    } else {
        return None;
    };
    Some(format!("{} {what}", place(statement)))
}

/// Statements of which the files cannot say how much they have to do.
fn unknown(migration: &Migration) -> Vec<String> {
    found_in(migration, |action| action.unknown_work().map(str::to_owned))
}

/// The statements of which an action is found, one line each.
fn found_in(migration: &Migration, found: impl Fn(&Action) -> Option<String>) -> Vec<String> {
    let lines = Lines::of(migration.text());
    let at = |start| migration.position(start).unwrap_or_else(|| lines.position(start)).line;
    read(migration.text())
        .iter()
        .filter_map(|statement| {
            let what = statement.acts.iter().find_map(|act| found(&act.action))?;
            Some(format!("{}:{} {what}", migration.path(), at(statement.span.start)))
        })
        .collect()
}
