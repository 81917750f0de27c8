//! Where what was judged is not what the tool ran, or not what its way back can be seen to undo.

use std::collections::HashMap;

use super::observe::Seen;
use crate::facts::{Action, Statement, read};
use crate::run::catalog::Catalog;
use crate::run::step::shown;
use crate::text::Lines;
use crate::{Migration, describe};

/// Statements that scripts were heard to send with a connection, and do not show without one: `context.is_offline_mode()`, for instance.
///
/// Scripts that could not be read at all (`unread`, each with its path in front) show nothing that could be compared.
pub(super) fn hidden(read_from_files: &[Migration], heard: &[Migration], unread: &[String]) -> Vec<String> {
    let is_unread = |path: &str| unread.iter().any(|script| script.starts_with(&format!("{path}:")));
    let new = heard.iter().filter(|migration| !migration.is_history());
    let readable = new.filter(|migration| !is_unread(migration.path()));
    let of = |migration: &Migration| {
        let shown = read_from_files.iter().find(|known| known.path() == migration.path());
        hidden_in(migration, shown.map_or("", Migration::text))
    };
    readable.flat_map(of).collect()
}

fn hidden_in(heard: &Migration, shown_sql: &str) -> Vec<String> {
    let mut shown_effects: HashMap<String, usize> = HashMap::new();
    for effect in read(shown_sql).iter().flat_map(effects) {
        *shown_effects.entry(effect).or_default() += 1;
    }
    let mut is_shown = |effect: &String| match shown_effects.get_mut(effect) {
        Some(left @ 1..) => {
            *left -= 1;
            true
        }
        Some(_) | None => false,
    };
    let lines = Lines::of(heard.text());
    let line_at = |start| heard.position(start).unwrap_or_else(|| lines.position(start)).line;
    let mut before = None;
    let mut all = Vec::new();
    for statement in read(heard.text()) {
        let now = Some((line_at(statement.span.start), effects(&statement)));
        // One call may send a statement for each of many rows.
        if now == before {
            continue;
        }
        let (line, effects) = now.as_ref().map_or((0, &[][..]), |(line, effects)| (*line, effects));
        if effects.iter().filter(|effect| !is_shown(effect)).count() > 0 {
            let text = heard.text().get(statement.span.start..statement.span.end).unwrap_or_default();
            all.push(format!(
                "{}:{line} runs `{}`, which it does not show without a connection: what was judged is not what runs",
                heard.path(),
                shown(text)
            ));
        }
        before = now;
    }
    all
}

/// What a statement does, in words with the names in it; values are no part of them. A script that looks around before it acts changes
/// nothing by that.
fn effects(statement: &Statement) -> Vec<String> {
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
    acts.map(describe::action).collect()
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
