//! What a statement does, in a sentence, when no rule has anything to say about it.

use crate::facts::{Action, ColumnChange, Statement, ident};

/// In a sentence.
pub(crate) fn statement(statement: &Statement) -> String {
    let mut parts: Vec<String> = statement.acts.iter().map(|act| action(&act.action)).collect();
    parts.dedup();
    match parts.len() {
        0 => "changes nothing that code sees".to_owned(),
        1..=MAX_PARTS => parts.join("; "),
        more => format!("{}; and {} more", parts[..MAX_PARTS].join("; "), more - MAX_PARTS),
    }
}

/// As many parts of a statement are told.
const MAX_PARTS: usize = 3;

/// One of the things that a statement does.
pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::CreateTable { table, .. } | Action::CreateTableAs { table, .. } => {
            format!("creates the table {table}")
        }
        Action::AddColumn { table, column } => {
            format!("adds {table}.{}: old code does not see it", ident(&column.name))
        }
        Action::DropColumn { table, column, .. } => {
            format!("drops {table}.{}, which no released code knows", ident(column))
        }
        Action::AlterColumn { table, column, change } => {
            format!("{} {table}.{}", of_change(change), ident(column))
        }
        Action::AddConstraint { table, .. } => {
            format!("adds a constraint to {table} that old writes satisfy")
        }
        Action::DropConstraint { table, name } => {
            format!("drops {} of {table}, on which no released code relies", ident(name))
        }
        Action::ValidateConstraint { table, name } => {
            format!("validates {} of {table} while reads and writes go on", ident(name))
        }
        Action::AlterConstraint { table, name } => {
            format!("changes when {} of {table} is checked", ident(name))
        }
        Action::AttachPartition { table, partition } => format!("attaches {partition} to {table}"),
        Action::DetachPartition { table, partition, .. } => format!("detaches {partition} from {table}"),
        Action::Inherit { table, parent, .. } => format!("changes whether {table} inherits from {parent}"),
        Action::SetTrigger { table, .. } => format!("switches triggers of {table}"),
        Action::SetRowSecurity { table, .. } => format!("changes the row-level security of {table}"),
        Action::ChangeOwner { kind, name } => format!("changes the owner of the {} {name}", kind.word()),
        Action::Rewrite { table, what } => format!("{what} writes {table} anew"),
        Action::TableOption { table, what } => format!("changes {what} of {table}, which no code sees"),
        Action::Rename { kind, from, to, .. } => {
            format!("renames the {} {from} to {}", kind.word(), ident(to))
        }
        Action::SetSchema { kind, name, schema } => {
            format!("moves the {} {name} to {}", kind.word(), ident(schema))
        }
        Action::Drop { kind, name, .. } => {
            format!("drops the {} {name}, which no released code knows", kind.word())
        }
        Action::CreateIndex { table, concurrently: true, .. } => {
            format!("builds an index on {table} while writes go on")
        }
        Action::CreateIndex { table, .. } => format!("builds an index on {table}"),
        Action::CreateView { name, .. } => format!("creates or extends the view {name}"),
        Action::RefreshView { name, .. } => format!("refreshes {name}"),
        Action::CreateRoutine { kind, name, .. } => format!("creates the {} {name}", kind.word()),
        Action::CreateTrigger { name, table } => format!("adds the trigger {} to {table}", ident(name)),
        Action::CreatePolicy { name, table, .. } | Action::AlterPolicy { name, table } => {
            format!("sets the policy {} of {table}", ident(name))
        }
        Action::CreateRule { name, table } => format!("adds the rule {} to {table}", ident(name)),
        Action::Create { kind, name: Some(name) } => format!("creates the {} {name}", kind.word()),
        Action::Create { kind, name: None } => format!("creates a {}", kind.word()),
        Action::AddEnumValue { ty, value } => format!("adds '{value}' to {ty}"),
        Action::AlterAttribute { ty, what } => format!("{what} the type {ty}"),
        Action::AlterDomain { domain, .. } => format!("changes the domain {domain}"),
        Action::AlterSequence { name, .. } => format!("changes the sequence {name}"),
        Action::Grant => "gives a right".to_owned(),
        Action::Revoke { .. } => "takes a right from a role that no service uses".to_owned(),
        Action::Insert { table } => format!("adds rows to {table}"),
        Action::Update { table, .. } => format!("fills or changes rows of {table}"),
        Action::Delete { table, .. } => format!("deletes rows of {table}"),
        Action::Merge { table } => format!("merges rows into {table}"),
        Action::Truncate { .. } => "empties a table that no released code knows".to_owned(),
        Action::LockTable { .. } => "locks a table for a moment".to_owned(),
        Action::Set { name, value } => format!("sets {name} to {value}"),
        Action::Discard => "forgets what the session holds".to_owned(),
        Action::Begin => "begins a transaction".to_owned(),
        Action::Commit => "ends a transaction".to_owned(),
        Action::Rollback => "undoes a transaction".to_owned(),
        Action::Opaque { .. } => "runs something that is not read".to_owned(),
        Action::Reindex { .. } => "builds indexes anew".to_owned(),
        Action::Cluster { .. } => "sorts a table".to_owned(),
        Action::Vacuum { .. } => "tidies tables up".to_owned(),
        Action::Administer(what) | Action::Runs { what, .. } | Action::Nothing(what) => (*what).to_owned(),
    }
}

fn of_change(change: &ColumnChange) -> &'static str {
    match change {
        ColumnChange::SetType { .. } => "changes the type, without a rewrite, of",
        ColumnChange::SetNotNull => "forbids NULL, which is not there, in",
        ColumnChange::DropNotNull => "allows NULL in",
        ColumnChange::SetDefault(_) => "sets the default of",
        ColumnChange::DropDefault => "takes the default from",
        ColumnChange::SetIdentity { .. } => "numbers new rows in",
        ColumnChange::DropIdentity => "no longer numbers",
        ColumnChange::DropExpression => "no longer computes",
        ColumnChange::SetExpression => "computes anew",
        ColumnChange::Physical(_) => "changes how PostgreSQL stores",
    }
}
