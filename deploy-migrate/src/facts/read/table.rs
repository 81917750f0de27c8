//! `CREATE TABLE` and `ALTER TABLE`.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AlterColumnOption, AlterTableAction, AstNode, NameLike};

use super::expr::{expression, flat, ty};
use super::object::is_temporary;
use super::{Reader, names};
use crate::facts::{
    Act, Action, Column, ColumnChange, Constraint, ConstraintKind, Expression, Generated, Kind, Name,
    RowSecurity,
};

impl Reader {
    pub(super) fn alter_table(self, alter: &ast::AlterTable) -> Vec<Act> {
        match names::table(alter.table_relation_name()) {
            Some(table) => self.table_actions(&table, alter.actions()),
            None => vec![self.act(alter, Action::Administer("moves everything of a tablespace"))],
        }
    }

    pub(super) fn table_actions(
        self,
        table: &Name,
        actions: impl Iterator<Item = AlterTableAction>,
    ) -> Vec<Act> {
        actions
            .map(|action| Act { span: self.span(action.syntax()), action: one(table.clone(), &action) })
            .collect()
    }
}

pub(super) fn create_table(create: &ast::CreateTable) -> Option<Action> {
    let table = names::of_path(&create.table_name()?.path()?)?;
    let temporary = is_temporary(create.syntax());
    let mut columns = Vec::new();
    let mut constraints = Vec::new();
    for arg in create.table_arg_list().iter().flat_map(ast::TableArgList::args) {
        match arg {
            ast::TableArg::Column(column) => columns.extend(declared(&column)),
            ast::TableArg::TableConstraint(constraint) => {
                constraints.extend(self::constraint(constraint.syntax()))
            }
            ast::TableArg::LikeClause(_) => {}
        }
    }
    let partition_of = create.partition_of().and_then(|of| names::table_ref(of.table_name_ref()));
    let if_not_exists = create.if_not_exists().is_some();
    Some(Action::CreateTable { table, temporary, if_not_exists, columns, constraints, partition_of })
}

fn declared(column: &ast::Column) -> Option<Column> {
    let clauses = column.clauses().filter_map(|clause| match clause {
        ast::ColumnClause::ColumnConstraint(constraint) => Some(constraint.syntax().clone()),
        _ => None,
    });
    Some(assemble(column.name()?.text(), column.ty().as_ref().map(ty), clauses))
}

fn assemble(
    name: String,
    ty: Option<crate::facts::Type>,
    clauses: impl Iterator<Item = SyntaxNode>,
) -> Column {
    let mut column =
        Column { name, ty, not_null: false, default: None, generated: None, constraints: Vec::new() };
    for node in clauses {
        if let Some(default) = ast::DefaultConstraint::cast(node.clone()) {
            column.default = default.expr().map(|expr| expression(expr.syntax()));
        } else if let Some(generated) = ast::GeneratedConstraint::cast(node.clone()) {
            column.generated = generated.generated_as().map(|kind| self::generated(&kind));
        } else if ast::NotNullConstraint::can_cast(node.kind()) {
            column.not_null = true;
        } else if let Some(constraint) = constraint(&node) {
            column.not_null |= matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
            column.constraints.push(constraint);
        }
    }
    column
}

fn generated(kind: &ast::GeneratedAs) -> Generated {
    match kind {
        ast::GeneratedAs::GeneratedIdentity(_) => Generated::Identity,
        ast::GeneratedAs::GeneratedStored(stored) => {
            let text = flat(stored.syntax()).to_lowercase();
            if text.ends_with("stored") { Generated::Stored } else { Generated::Virtual }
        }
    }
}

/// A constraint that is none of `DEFAULT`, `GENERATED` and `NULL`.
fn constraint(node: &SyntaxNode) -> Option<Constraint> {
    let text = flat(node);
    let not_valid = node.descendants().any(|inner| ast::NotValid::can_cast(inner.kind()));
    let name = node
        .children()
        .find_map(ast::ConstraintNameClause::cast)
        .and_then(|clause| clause.constraint_name())
        .map(|name| names::plain(name.syntax()));
    let using_index =
        node.children().find_map(ast::UsingIndexName::cast).and_then(|using| names::first(using.syntax()));
    let columns = node.children().find_map(ast::IndexParameters::cast).map_or_else(Vec::new, |parameters| {
        parameters.column_list().map_or_else(Vec::new, |list| names::columns(list.syntax()))
    });
    let kind = if let Some(check) = ast::CheckConstraint::cast(node.clone()) {
        ConstraintKind::Check(check.expr().map(|expr| expression(expr.syntax())))
    } else if ast::UniqueConstraint::can_cast(node.kind()) {
        ConstraintKind::Unique { columns, using_index }
    } else if ast::PrimaryKeyConstraint::can_cast(node.kind()) {
        ConstraintKind::PrimaryKey { columns, using_index }
    } else if let Some(key) = ast::ForeignKeyConstraint::cast(node.clone()) {
        let from = node.children().find_map(ast::ForeignKeyColumnList::cast);
        ConstraintKind::ForeignKey {
            columns: from.map_or_else(Vec::new, |list| names::columns(list.syntax())),
            references: names::table_ref(key.table_name_ref()),
        }
    } else if let Some(key) = ast::ReferencesConstraint::cast(node.clone()) {
        ConstraintKind::ForeignKey { columns: Vec::new(), references: names::table_ref(key.table()) }
    } else if let Some(not_null) = ast::NotNullConstraint::cast(node.clone()) {
        ConstraintKind::NotNull { column: not_null.column_name_ref().map(|column| column.text()) }
    } else if ast::ExcludeConstraint::can_cast(node.kind()) {
        ConstraintKind::Exclude
    } else {
        return None;
    };
    Some(Constraint { name, kind, not_valid, text })
}

fn one(table: Name, action: &AlterTableAction) -> Action {
    let unread = |what| Action::TableOption { table: table.clone(), what };
    let read = match action {
        AlterTableAction::AddColumn(add) => add.column_name().map(|name| Action::AddColumn {
            column: assemble(
                name.text(),
                add.ty().as_ref().map(ty),
                add.constraints().map(|constraint| constraint.syntax().clone()),
            ),
            table: table.clone(),
        }),
        AlterTableAction::DropColumn(drop) => drop.column_name_ref().map(|column| Action::DropColumn {
            table: table.clone(),
            column: column.text(),
            cascade: matches!(drop.drop_behavior(), Some(ast::DropBehavior::Cascade(_))),
        }),
        AlterTableAction::AlterColumn(alter) => alter_column(table.clone(), alter),
        AlterTableAction::AddConstraint(add) => add
            .constraint()
            .and_then(|added| constraint(added.syntax()))
            .map(|constraint| Action::AddConstraint { table: table.clone(), constraint }),
        AlterTableAction::DropConstraint(drop) => drop
            .constraint_name_ref()
            .map(|name| Action::DropConstraint { table: table.clone(), name: names::plain(name.syntax()) }),
        AlterTableAction::ValidateConstraint(validate) => validate.constraint_name_ref().map(|name| {
            Action::ValidateConstraint { table: table.clone(), name: names::plain(name.syntax()) }
        }),
        AlterTableAction::AlterConstraint(alter) => alter
            .constraint_name_ref()
            .map(|name| Action::AlterConstraint { table: table.clone(), name: names::plain(name.syntax()) }),
        AlterTableAction::RenameColumn(rename) => {
            let from = rename.column_name_ref().map(|column| column.text());
            let to = rename.column_name().map(|column| column.text());
            from.zip(to).map(|(from, to)| renamed(Kind::Column, Some(table.clone()), Name::new(from), to))
        }
        AlterTableAction::RenameConstraint(rename) => {
            let from = rename.constraint_name_ref().map(|name| names::plain(name.syntax()));
            let to = rename.constraint_name().map(|name| names::plain(name.syntax()));
            from.zip(to).map(|(from, to)| renamed(Kind::Constraint, Some(table.clone()), Name::new(from), to))
        }
        AlterTableAction::TableRenameTo(rename) => {
            names::first(rename.syntax()).map(|to| renamed(Kind::Table, None, table.clone(), to.name))
        }
        AlterTableAction::SetSchema(set) => set.schema_ref().map(|schema| Action::SetSchema {
            kind: Kind::Table,
            name: table.clone(),
            schema: names::plain(schema.syntax()),
        }),
        AlterTableAction::AttachPartition(attach) => names::table_ref(attach.table_name_ref())
            .map(|partition| Action::AttachPartition { table: table.clone(), partition }),
        AlterTableAction::DetachPartition(detach) => {
            names::table_ref(detach.table_name_ref()).map(|partition| {
                let concurrently = detach.detach_partition_option().is_some();
                Action::DetachPartition { table: table.clone(), partition, concurrently }
            })
        }
        AlterTableAction::InheritTable(inherit) => names::table_ref(inherit.table_name_ref())
            .map(|parent| Action::Inherit { table: table.clone(), parent, removed: false }),
        AlterTableAction::NoInheritTable(inherit) => names::table_ref(inherit.table_name_ref())
            .map(|parent| Action::Inherit { table: table.clone(), parent, removed: true }),
        other => Some(whole_table(table.clone(), other)),
    };
    read.unwrap_or_else(|| unread("a form that is not read"))
}

fn renamed(kind: Kind, on: Option<Name>, from: Name, to: String) -> Action {
    Action::Rename { kind, on, from, to }
}

/// Forms that concern the table as a whole.
fn whole_table(table: Name, action: &AlterTableAction) -> Action {
    match action {
        AlterTableAction::EnableTrigger(_)
        | AlterTableAction::EnableReplicaTrigger(_)
        | AlterTableAction::EnableAlwaysTrigger(_)
        | AlterTableAction::EnableRule(_)
        | AlterTableAction::EnableReplicaRule(_)
        | AlterTableAction::EnableAlwaysRule(_) => Action::SetTrigger { table, enabled: true },
        AlterTableAction::DisableTrigger(_) | AlterTableAction::DisableRule(_) => {
            Action::SetTrigger { table, enabled: false }
        }
        AlterTableAction::EnableRls(_) => Action::SetRowSecurity { table, change: RowSecurity::Enable },
        AlterTableAction::DisableRls(_) => Action::SetRowSecurity { table, change: RowSecurity::Disable },
        AlterTableAction::ForceRls(_) => Action::SetRowSecurity { table, change: RowSecurity::Force },
        AlterTableAction::NoForceRls(_) => Action::SetRowSecurity { table, change: RowSecurity::NoForce },
        AlterTableAction::OwnerTo(_) => Action::ChangeOwner { kind: Kind::Table, name: table },
        AlterTableAction::SetTablespace(_) => Action::Rewrite { table, what: "SET TABLESPACE" },
        AlterTableAction::SetAccessMethod(_) => Action::Rewrite { table, what: "SET ACCESS METHOD" },
        AlterTableAction::SetLogged(_) => Action::Rewrite { table, what: "SET LOGGED" },
        AlterTableAction::SetUnlogged(_) => Action::Rewrite { table, what: "SET UNLOGGED" },
        AlterTableAction::MergePartitions(_) => Action::Rewrite { table, what: "MERGE PARTITIONS" },
        AlterTableAction::SplitPartition(_) => Action::Rewrite { table, what: "SPLIT PARTITION" },
        AlterTableAction::ReplicaIdentity(_) => Action::TableOption { table, what: "REPLICA IDENTITY" },
        AlterTableAction::ClusterOn(_) => Action::TableOption { table, what: "CLUSTER ON" },
        AlterTableAction::SetWithoutCluster(_) => Action::TableOption { table, what: "SET WITHOUT CLUSTER" },
        AlterTableAction::OfType(_) => Action::TableOption { table, what: "OF" },
        AlterTableAction::NotOf(_) => Action::TableOption { table, what: "NOT OF" },
        _ => Action::TableOption { table, what: "options" },
    }
}

fn alter_column(table: Name, alter: &ast::AlterColumn) -> Option<Action> {
    let column = alter.column_name_ref()?.text();
    let change = match alter.option()? {
        AlterColumnOption::SetType(set) => ColumnChange::SetType {
            ty: set.ty().as_ref().map(ty),
            using: set.using_expr().and_then(|using| using.expr()).map(|expr| flat(expr.syntax())),
        },
        AlterColumnOption::SetNotNull(_) => ColumnChange::SetNotNull,
        AlterColumnOption::DropNotNull(_) => ColumnChange::DropNotNull,
        AlterColumnOption::SetDefault(set) => {
            ColumnChange::SetDefault(set.expr().map_or_else(nothing, |expr| expression(expr.syntax())))
        }
        AlterColumnOption::DropDefault(_) => ColumnChange::DropDefault,
        AlterColumnOption::AddGenerated(add) => ColumnChange::SetIdentity { always: always(add.syntax()) },
        AlterColumnOption::SetGenerated(set) => ColumnChange::SetIdentity { always: always(set.syntax()) },
        AlterColumnOption::SetGeneratedOptions(set) => {
            ColumnChange::SetIdentity { always: always(set.syntax()) }
        }
        AlterColumnOption::DropIdentity(_) => ColumnChange::DropIdentity,
        AlterColumnOption::DropExpression(_) => ColumnChange::DropExpression,
        AlterColumnOption::SetExpression(_) => ColumnChange::SetExpression,
        AlterColumnOption::SetStatistics(_) => ColumnChange::Physical("SET STATISTICS"),
        AlterColumnOption::SetStorage(_) => ColumnChange::Physical("SET STORAGE"),
        AlterColumnOption::SetCompression(_) => ColumnChange::Physical("SET COMPRESSION"),
        _ => ColumnChange::Physical("options of the column"),
    };
    Some(Action::AlterColumn { table, column, change })
}

fn always(identity: &SyntaxNode) -> bool {
    flat(identity).to_lowercase().contains("always")
}

fn nothing() -> Expression {
    Expression { text: String::new(), null: false, calls: Vec::new(), columns: Vec::new(), not_null: None }
}
