//! Where what was judged is not what the tool ran, or not what its way back can be seen to undo.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use super::observe::Seen;
use crate::Migration;
use crate::facts::{Action, Statement, read};
use crate::run::catalog::Catalog;
use crate::run::step::shown;
use crate::text::Lines;

/// The kind of an action, and the table that it is about.
type Kind = (Discriminant<Action>, Option<String>);

/// Statements that scripts were heard to send with a connection, and do not show without one: `context.is_offline_mode()`, for instance.
///
/// Scripts that could not be read at all (`unread`, each with its path in front) show nothing that could be compared.
pub(super) fn unread(read_from_files: &[Migration], heard: &[Migration], unread: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let is_unread = |path: &str| unread.iter().any(|script| script.starts_with(&format!("{path}:")));
    let new = heard.iter().filter(|migration| !migration.is_history());
    for migration in new.filter(|migration| !is_unread(migration.path())) {
        let known = read_from_files.iter().find(|known| known.path() == migration.path());
        let mut shown_kinds: HashMap<Kind, usize> = HashMap::new();
        for statement in known.map(|known| read(known.text())).unwrap_or_default() {
            for kind in kinds(&statement) {
                *shown_kinds.entry(kind).or_default() += 1;
            }
        }
        let lines = Lines::of(migration.text());
        let mut before = (0, Vec::new());
        for statement in read(migration.text()) {
            let start = statement.span.start;
            let line = migration.position(start).unwrap_or_else(|| lines.position(start)).line;
            // One call may send a statement for each of many rows.
            let now = (line, kinds(&statement));
            if now == before {
                continue;
            }
            let mut is_shown = |kind: &Kind| match shown_kinds.get_mut(kind) {
                Some(left @ 1..) => {
                    *left -= 1;
                    true
                }
                Some(_) | None => false,
            };
            let hidden = now.1.iter().filter(|kind| !is_shown(kind)).count();
            before = now;
            if hidden > 0 {
                let text = migration.text().get(start..statement.span.end).unwrap_or_default();
                all.push(format!(
                    "{}:{line} runs `{}`, which it does not show without a connection: what was judged is not what runs",
                    migration.path(),
                    shown(text)
                ));
            }
        }
    }
    all
}

/// What the analysis looks at; a script that looks around before it acts changes nothing by that.
fn kinds(statement: &Statement) -> Vec<Kind> {
    let acts = statement.acts.iter().map(|act| &act.action).filter(|action| {
        !matches!(
            action,
            Action::Begin
                | Action::Commit
                | Action::Rollback
                | Action::Set { .. }
                | Action::Nothing(_)
                | Action::Runs { .. }
        )
    });
    acts.map(|action| (discriminant(action), action.table().map(|name| name.name.clone()))).collect()
}

/// Where the statements, run one by one, come to another schema than the tool.
pub(super) fn otherwise_made(by_the_tool: &Catalog, by_the_statements: &Catalog) -> Vec<String> {
    let told = by_the_statements.changes_to(by_the_tool).into_iter().map(|line| {
        match line.strip_prefix("missing: ") {
            Some(line) => format!("only the statements that were judged make this, not the tool: {line}"),
            None => {
                let line = line.trim_start_matches("left behind: ");
                format!("only the tool makes this, not the statements that were judged: {line}")
            }
        }
    });
    told.collect()
}

/// A statement of which a copy cannot show that the way back undoes it.
pub(super) fn unproven(seen: &Seen) -> Option<String> {
    let is_any = |is: fn(&Action) -> bool| seen.actions.iter().any(is);
    let why = if is_any(|action| matches!(action, Action::Grant | Action::Revoke { .. })) {
        "changes rights"
    } else if is_any(|action| matches!(action, Action::ChangeOwner { .. })) {
        "changes an owner"
    } else if is_any(|action| matches!(action, Action::Administer(_))) {
        "administers the server"
    } else {
        return None;
    };
    let (file, line) = (&seen.observed.file, seen.observed.line);
    Some(format!(
        "{file}:{line} {why}: that the way back undoes it is not seen on a copy without owners and rights"
    ))
}
