//! Indexes, and what writes a table anew.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::Name;
use crate::report::Finding;
use crate::rule::Rule;

/// What kind of index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) unique: bool,
    pub(super) concurrently: bool,
}

pub(super) fn create(
    table: &Name,
    kind: Kind,
    columns: &[String],
    text: &str,
    context: &mut Context<'_>,
) -> Class {
    let Kind { unique, concurrently } = kind;
    if context.is_new_table(table) {
        return Class::Expand;
    }
    let statement = concurrent_form(text);
    let costs = !concurrently && !context.is_quick(table);
    let waits = "without CONCURRENTLY all writes of the table wait while it is built";
    let narrows =
        unique && (columns.is_empty() || !columns.iter().all(|column| context.is_new_column(table, column)));
    if narrows {
        let message = format!(
            "makes {} of {table} unique: writes of {} that repeat a value fail{}",
            if columns.is_empty() { "an expression".to_owned() } else { columns.join(", ") },
            context.old_code(),
            if costs { format!("; {waits}") } else { String::new() }
        );
        context.find(
            Finding::contract(Rule::AddUnique, message)
                .breaks(if costs { &[Break::OldWrites, Break::Locks] } else { &[Break::OldWrites] })
                .fix(fix::second_phase(
                    "code that never repeats a value; wait until no old code runs.",
                    &statement,
                )),
        );
        return Class::Contract;
    }
    if costs {
        context.find(
            Finding::warning(Rule::IndexNotConcurrently, format!("builds an index on {table}: {waits}"))
                .breaks(&[Break::Locks])
                .fix(fix::two_phases(&[statement], "", &[])),
        );
    }
    Class::Expand
}

/// The same index, built while writes go on.
fn concurrent_form(text: &str) -> String {
    let text = text.trim_end_matches(';').trim();
    let lower = text.to_lowercase();
    let statement = match lower.find("index") {
        Some(at) if !lower.contains("concurrently") => {
            let (head, rest) = text.split_at(at + "index".len());
            format!("{head} CONCURRENTLY{rest}")
        }
        Some(_) | None => text.to_owned(),
    };
    format!("{statement}; -- alone in its file: not inside a transaction")
}

pub(super) fn reindex(concurrently: bool, text: &str, context: &mut Context<'_>) -> Class {
    if !concurrently {
        let statement = text.trim_end_matches(';').trim();
        let parts: Vec<&str> = statement.split_whitespace().collect();
        let fixed = match parts.as_slice() {
            [head, kind, rest @ ..] if !kind.starts_with('(') => {
                format!("{head} {kind} CONCURRENTLY {};", rest.join(" "))
            }
            _ => format!("{statement} -- with the option CONCURRENTLY"),
        };
        context.find(
            Finding::warning(Rule::IndexNotConcurrently, "builds indexes anew: without CONCURRENTLY writes wait, and so do reads that would use the index")
                .breaks(&[Break::Locks])
                .fix(format!("{fixed} -- alone in its file: not inside a transaction")),
        );
    }
    Class::Neutral
}

pub(super) fn rewrite(table: Option<&Name>, what: &str, context: &mut Context<'_>) -> Class {
    if table.is_some_and(|table| context.is_quick(table)) {
        return Class::Neutral;
    }
    let name = table.map_or_else(|| "every table".to_owned(), ToString::to_string);
    context.find(
        Finding::breaking(
            Rule::TableRewrite,
            format!("{what} writes {name} anew under ACCESS EXCLUSIVE: all reads and writes wait meanwhile"),
        )
        .breaks(&[Break::Locks])
        .fix(format!(
            "-- Outside of a rollout, with a tool that works beside the traffic:\n-- pg_repack --table {name}"
        )),
    );
    Class::Neutral
}
