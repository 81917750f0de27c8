//! `DO`, functions, and SQL that is made at run time.

use super::{Context, fix};
use crate::class::{Break, Class};
use crate::facts::{Act, Action, Kind, Name};
use crate::report::Finding;
use crate::rule::Rule;

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
        if changes_schema(&act.action) {
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

fn changes_schema(action: &Action) -> bool {
    match action {
        Action::CreateTable { temporary, .. } | Action::CreateTableAs { temporary, .. } => !temporary,
        Action::AddColumn { .. }
        | Action::DropColumn { .. }
        | Action::AlterColumn { .. }
        | Action::AddConstraint { .. }
        | Action::DropConstraint { .. }
        | Action::ValidateConstraint { .. }
        | Action::AlterConstraint { .. }
        | Action::AttachPartition { .. }
        | Action::DetachPartition { .. }
        | Action::Inherit { .. }
        | Action::SetTrigger { .. }
        | Action::SetRowSecurity { .. }
        | Action::ChangeOwner { .. }
        | Action::Rewrite { .. }
        | Action::TableOption { .. }
        | Action::Rename { .. }
        | Action::SetSchema { .. }
        | Action::Drop { .. }
        | Action::CreateIndex { .. }
        | Action::CreateView { .. }
        | Action::CreateRoutine { .. }
        | Action::CreateTrigger { .. }
        | Action::CreatePolicy { .. }
        | Action::AlterPolicy { .. }
        | Action::CreateRule { .. }
        | Action::Create { .. }
        | Action::AddEnumValue { .. }
        | Action::AlterAttribute { .. }
        | Action::AlterDomain { .. }
        | Action::AlterSequence { .. }
        | Action::Truncate { .. } => true,
        Action::RefreshView { .. }
        | Action::Grant
        | Action::Revoke { .. }
        | Action::Insert { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::Merge { .. }
        | Action::LockTable { .. }
        | Action::Set { .. }
        | Action::Begin
        | Action::Commit
        | Action::Rollback
        | Action::Opaque { .. }
        | Action::Reindex { .. }
        | Action::Cluster { .. }
        | Action::Vacuum { .. }
        | Action::Administer(_)
        | Action::Runs(_)
        | Action::Nothing(_) => false,
    }
}
