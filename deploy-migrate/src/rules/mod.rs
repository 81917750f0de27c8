//! The rules, one file for each family. Each judges one action by what is known before it.

mod column;
mod constraint;
mod data;
mod drop;
mod dynamic;
mod fix;
mod index;
mod not_null;
mod object;
mod outline;
mod partition;
mod rename;
mod rights;
mod transaction;
mod type_change;

pub(crate) use outline::Outline;
pub(crate) use transaction::{Session, judge as judge_transaction};

use crate::class::Class;
use crate::config::Config;
use crate::facts::{Act, Action, Name};
use crate::report::Finding;
use crate::state::{ColumnState, Moment, Origin, Schema};
use crate::text::Span;

/// What a rule may look at, and where it puts what it finds.
pub(crate) struct Context<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) config: &'a Config,
    /// Whose migration it is, for sentences: `svc-portal's `, or nothing.
    pub(crate) whose: String,
    pub(crate) now: Moment,
    /// What the file does elsewhere, and which of its statements this is.
    pub(crate) file: &'a Outline<'a>,
    pub(crate) at: usize,
    pub(crate) in_transaction: bool,
    pub(crate) span: Span,
    pub(crate) findings: Vec<Finding>,
}

impl Context<'_> {
    fn find(&mut self, mut finding: Finding) {
        finding.span = self.span;
        self.findings.push(finding);
    }

    fn is_new(&self, origin: Origin) -> bool {
        origin == Some(self.now.release)
    }

    /// A table that no running code can know yet.
    fn is_new_table(&self, table: &Name) -> bool {
        self.schema.table(table).is_some_and(|table| table.temporary || self.is_new(table.origin))
    }

    /// A column that no running code can know yet.
    fn is_new_column(&self, table: &Name, column: &str) -> bool {
        self.is_new_table(table)
            || self.column(table, column).is_some_and(|column| self.is_new(column.origin))
    }

    fn column(&self, table: &Name, column: &str) -> Option<&ColumnState> {
        self.schema.column(table, column)
    }

    /// Locks, scans and rewrites of this table hurt nobody: it is new, or small.
    fn is_quick(&self, table: &Name) -> bool {
        let (schema, name) = table.key();
        let small = |known: &String| known == name || *known == format!("{schema}.{name}");
        self.is_new_table(table) || self.config.small_tables.iter().any(small)
    }

    /// `svc-portal's old code`, or `old code`.
    fn old_code(&self) -> String {
        format!("{}old code", self.whose)
    }

    /// The type of a column as SQL, or a place to fill in.
    fn type_of(&self, table: &Name, column: &str) -> String {
        let known = self.column(table, column).and_then(|column| column.ty.as_ref());
        known.map_or_else(|| format!("<type of {column}>"), |ty| ty.text.clone())
    }
}

/// Judges an action: what it is if no rule objects, and what the rules find.
pub(crate) fn judge(act: &Act, context: &mut Context<'_>) -> Class {
    match &act.action {
        Action::CreateTable { table, columns, constraints, partition_of, .. } => {
            partition::create(table, columns, constraints, partition_of.as_ref(), context)
        }
        Action::AttachPartition { table, partition } => partition::attach(table, partition, context),
        Action::DetachPartition { table, partition, concurrently } => {
            partition::detach(table, partition, *concurrently, context)
        }
        Action::Inherit { table, parent, removed } => partition::inherit(table, parent, *removed, context),
        Action::AddColumn { table, column } => column::add(table, column, context),
        Action::DropColumn { table, column, cascade } => drop::column(table, column, *cascade, context),
        Action::AlterColumn { table, column, change } => column::alter(table, column, change, context),
        Action::AddConstraint { table, constraint } => constraint::add(table, constraint, context),
        Action::DropConstraint { table, name } => constraint::drop(table, name, context),
        Action::ValidateConstraint { table, name } => constraint::validate(table, name, context),
        Action::Rename { kind, on, from, to } => rename::judge(*kind, on.as_ref(), from, to, context),
        Action::SetSchema { kind, name, schema } => rename::set_schema(*kind, name, schema, context),
        Action::Drop { kind, name, on, cascade, concurrently } => {
            let how = drop::How { cascade: *cascade, concurrently: *concurrently };
            drop::judge(*kind, name, on.as_ref(), how, context)
        }
        Action::CreateIndex { table, unique, concurrently, columns, text, .. } => {
            let kind = index::Kind { unique: *unique, concurrently: *concurrently };
            index::create(table, kind, columns, text, context)
        }
        Action::Reindex { concurrently, text } => index::reindex(*concurrently, text, context),
        Action::Cluster { table } => index::rewrite(table.as_ref(), "CLUSTER", context),
        Action::Vacuum { full: true, tables } => index::rewrite(tables.first(), "VACUUM FULL", context),
        Action::Rewrite { table, what } => index::rewrite(Some(table), what, context),
        Action::Update { table, columns, filtered: false, .. } => data::update(table, columns, context),
        Action::Delete { table, filtered: false } => data::delete(table, context),
        Action::Truncate { tables } => data::truncate(tables, context),
        Action::LockTable { tables, mode } => data::lock(tables, *mode, context),
        Action::CreateView { name, replace: true, columns, .. } => {
            object::replace_view(name, columns.as_deref(), context)
        }
        Action::RefreshView { name, concurrently } => object::refresh(name, *concurrently, context),
        Action::CreateTrigger { name, table } => object::create_trigger("trigger", name, table, context),
        Action::CreateRule { name, table } => object::create_trigger("rule", name, table, context),
        Action::SetTrigger { table, enabled } => object::set_trigger(table, *enabled, context),
        Action::AddEnumValue { ty, value } => object::add_enum_value(ty, value, context),
        Action::AlterAttribute { ty, what } => object::alter_attribute(ty, what, context),
        Action::AlterDomain { domain, change } => object::alter_domain(domain, *change, context),
        Action::Revoke { what, roles } => rights::revoke(what, roles, context),
        Action::ChangeOwner { kind, name } => rights::owner(*kind, name, context),
        Action::SetRowSecurity { table, change } => rights::row_security(table, *change, context),
        Action::CreatePolicy { name, table, restrictive } => {
            rights::policy(name, table, *restrictive, context)
        }
        Action::AlterPolicy { name, table } => rights::changed_policy(name, table, context),
        Action::CreateRoutine { kind, name, replace, body } => {
            dynamic::routine(*kind, name, *replace, body, context)
        }
        Action::Opaque { language } => dynamic::opaque(language.as_deref(), context),
        Action::Runs { calls, .. } => dynamic::calls(calls, context),
        Action::CreateTableAs { .. }
        | Action::Create { .. }
        | Action::CreateView { replace: false, .. }
        | Action::Grant => Class::Expand,
        Action::TableOption { .. }
        | Action::AlterConstraint { .. }
        | Action::AlterSequence { .. }
        | Action::Insert { .. }
        | Action::Update { filtered: true, .. }
        | Action::Delete { filtered: true, .. }
        | Action::Merge { .. }
        | Action::Vacuum { full: false, .. }
        | Action::Set { .. }
        | Action::Discard
        | Action::Begin
        | Action::Commit
        | Action::Rollback
        | Action::Administer(_)
        | Action::Nothing(_) => Class::Neutral,
    }
}
