//! `DO`, functions, and SQL that is made at run time.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Act, Kind, Name};
use crate::report::Finding;
use crate::rule::Rule;

/// What runs, and calls these functions.
pub(super) fn calls(called: &[Name], context: &mut Context<'_>) -> Class {
    if let Some(name) = called.iter().find(|name| context.schema.changes_when_called(name)) {
        context.find(unreadable(format!(
            "calls {name}, which changes the schema where no check sees it: nobody can say what that does to {}",
            context.old_code()
        )));
    }
    Class::Neutral
}

/// What runs and cannot be read.
pub(super) fn opaque(language: Option<&str>, context: &mut Context<'_>) -> Class {
    let what = match language {
        Some(language) => format!("runs a block in another language ({language}), which is not read"),
        None => "runs SQL that is put together at run time and cannot be read".to_owned(),
    };
    let message = format!("{what}: nobody can say what it does to {}", context.old_code());
    context.find(unreadable(message));
    Class::Neutral
}

fn unreadable(message: String) -> Finding {
    Finding::breaking(Rule::OpaqueExecute, message)
        .breaks(&[Break::OldReads, Break::OldWrites])
        .fix("-- Write the statements out, or allow it and say what it does:\n-- mpac:allow opaque-execute <reason>")
}

pub(super) fn routine(
    kind: Kind,
    name: &Name,
    replace: bool,
    body: &[Act],
    context: &mut Context<'_>,
) -> Class {
    let whole = context.span;
    for act in body {
        if act.action.changes_schema() {
            context.span = act.span;
            let message = format!("{name} changes the schema whenever it is called, which no check sees");
            context.find(
                Finding::warning(Rule::DdlInFunction, message)
                    .breaks(&[Break::OldReads, Break::OldWrites, Break::Locks])
                    .fix("-- Write the change into a migration of its own, where it is checked."),
            );
        }
    }
    context.span = whole;
    let known = context.schema.other(kind, name);
    if replace && known.is_some() && !context.is_new(known) {
        let second = name.sibling(format!("{}_2", name.name));
        let message = format!("replaces {name}: {} calls the new one from here on", context.old_code());
        context.find(
            Finding::warning(Rule::ReplaceRoutine, message).breaks(&[Break::OldReads, Break::OldWrites]).fix(
                fix::two_phases(
                    &[format!("CREATE {} {second}(…) …;", kind.sql())],
                    &format!("code that calls {second}; old code goes on with {name}."),
                    &[format!("DROP {} {name};", kind.sql())],
                ),
            ),
        );
    }
    Class::Expand
}
