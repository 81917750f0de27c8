//! Everything that is created, dropped, renamed or altered and is not a table.

use squawk_syntax::ast::{self, AstNode, NameLike};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::expr::flat;
use super::kinds::{altered, created, dropped};
use super::{Reader, names, table};
use crate::facts::{Action, DomainChange, Kind, Name};

impl Reader {
    /// `DROP …`: one action for each name.
    pub(super) fn drops(self, stmt: &ast::Stmt) -> Option<Vec<Action>> {
        let kind = dropped(stmt)?;
        let node = stmt.syntax();
        let cascade = node.children().any(|child| ast::Cascade::can_cast(child.kind()));
        let concurrently = has_token(node, SyntaxKind::CONCURRENTLY_KW);
        let on = node
            .children()
            .find(|child| matches!(child.kind(), SyntaxKind::ON_RELATION | SyntaxKind::ON_TABLE))
            .and_then(|child| names::first(&child));
        let drop = |name| Action::Drop { kind, name, on: on.clone(), cascade, concurrently };
        let found: Vec<Action> = targets(node).into_iter().map(drop).collect();
        Some(if found.is_empty() { vec![drop(Name::new(flat(node)))] } else { found })
    }

    /// `ALTER … RENAME …` and `ALTER … SET SCHEMA …` of anything but a table.
    pub(super) fn renames(self, stmt: &ast::Stmt) -> Option<Vec<Action>> {
        let node = stmt.syntax();
        let kind = altered(stmt)?;
        let action = node.children().find_map(|child| rename(node, &child, kind))?;
        Some(vec![action])
    }

    /// A new domain, and that it has a constraint.
    fn domain(self, stmt: &ast::Stmt, create: &ast::CreateDomain) -> Option<Vec<Action>> {
        let made = self.creates(stmt)?;
        let Action::Create { name: Some(domain), .. } = &made else { return Some(vec![made]) };
        let narrows = create.domain_qualifiers().any(|it| {
            let words = flat(it.syntax()).to_lowercase();
            words.contains("check") || words.contains("not null")
        });
        let change = DomainChange::AddConstraint { not_valid: false };
        let narrowed = narrows.then(|| Action::AlterDomain { domain: domain.clone(), change });
        Some([made].into_iter().chain(narrowed).collect())
    }

    /// `ALTER …` of anything but a table, when nothing is renamed.
    pub(super) fn alters(self, stmt: &ast::Stmt) -> Option<Vec<Action>> {
        if let ast::Stmt::CreateDomain(create) = stmt {
            return self.domain(stmt, create);
        }
        let kind = altered(stmt)?;
        let name = altered_name(stmt.syntax())?;
        let action = match stmt {
            ast::Stmt::AlterType(alter) => alter_type(name, &alter.action()?),
            ast::Stmt::AlterDomain(alter) => alter_domain(name, &alter.action()?),
            ast::Stmt::AlterForeignTable(alter) => {
                let acts = self.table_actions(&names::table(alter.table_relation_name())?, alter.actions());
                return Some(acts.into_iter().map(|act| act.action).collect());
            }
            ast::Stmt::AlterPolicy(alter) => {
                let table = names::table_ref(alter.on_table()?.table_name_ref())?;
                Action::AlterPolicy { name: name.name, table }
            }
            ast::Stmt::AlterSequence(alter) if !owner(alter.syntax()) => Action::AlterSequence { name },
            _ if owner(stmt.syntax()) => Action::ChangeOwner { kind, name },
            _ => Action::Nothing("changes an option that no code sees"),
        };
        Some(vec![action])
    }

    pub(super) fn creates(self, stmt: &ast::Stmt) -> Option<Action> {
        let node = stmt.syntax();
        match stmt {
            ast::Stmt::CreateTable(create) => table::create_table(create),
            ast::Stmt::CreateTableAs(create) => Some(Action::CreateTableAs {
                table: names::of_path(&create.table_name()?.path()?)?,
                temporary: is_temporary(node),
            }),
            ast::Stmt::SelectInto(select) => {
                let into =
                    select.syntax().children().find(|child| child.kind() == SyntaxKind::INTO_CLAUSE)?;
                Some(Action::CreateTableAs { table: names::first(&into)?, temporary: is_temporary(&into) })
            }
            ast::Stmt::CreateIndex(create) => create_index(create),
            ast::Stmt::CreateView(create) => Some(Action::CreateView {
                name: temporary_or_not(names::of_path(&create.view()?.path()?)?, node),
                replace: create.or_replace().is_some(),
                fills: false,
                columns: view_columns(create.column_list(), create.query()),
            }),
            ast::Stmt::CreateMaterializedView(create) => Some(Action::CreateView {
                name: names::of_path(&create.view()?.path()?)?,
                replace: false,
                fills: !flat(create.syntax()).to_lowercase().ends_with("with no data"),
                columns: view_columns(create.column_list(), create.query()),
            }),
            ast::Stmt::CreateTrigger(create) => Some(Action::CreateTrigger {
                name: names::plain(create.trigger()?.syntax()),
                table: names::first(create.on_relation()?.syntax())?,
            }),
            ast::Stmt::CreatePolicy(create) => Some(Action::CreatePolicy {
                name: names::plain(create.policy()?.syntax()),
                table: names::table_ref(create.on_table()?.table_name_ref())?,
                restrictive: create
                    .as_policy_type()
                    .is_some_and(|kind| flat(kind.syntax()).to_lowercase().contains("restrictive")),
            }),
            ast::Stmt::CreateRule(create) => Some(Action::CreateRule {
                name: names::plain(create.rule()?.syntax()),
                table: names::first(create.rule_on()?.relation_name_ref()?.syntax())?,
            }),
            _ => {
                let name = names::first(node).map(|name| temporary_or_not(name, node));
                created(stmt).map(|kind| Action::Create { kind, name })
            }
        }
    }
}

fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens().any(|element| element.kind() == kind)
}

pub(super) fn is_temporary(node: &SyntaxNode) -> bool {
    let mut persistences = node.descendants().filter_map(ast::Persistence::cast);
    persistences.next().is_some_and(|first| matches!(first, ast::Persistence::Temp(_)))
}

/// A temporary view or sequence stands in a schema of its own.
fn temporary_or_not(name: Name, node: &SyntaxNode) -> Name {
    if is_temporary(node) { name.in_schema(Name::TEMPORARY) } else { name }
}

/// The things that a `DROP` names.
fn targets(node: &SyntaxNode) -> Vec<Name> {
    let skipped = [
        SyntaxKind::IF_EXISTS,
        SyntaxKind::CASCADE,
        SyntaxKind::RESTRICT,
        SyntaxKind::ON_RELATION,
        SyntaxKind::ON_TABLE,
    ];
    let mut found = Vec::new();
    for child in node.children().filter(|child| !skipped.contains(&child.kind())) {
        if format!("{:?}", child.kind()).ends_with("SIG_LIST") {
            found.extend(child.children().filter_map(|sig| names::first(&sig)));
        } else {
            found.push(names::first(&child).unwrap_or_else(|| Name::new(names::plain(&child))));
        }
    }
    found
}

fn owner(node: &SyntaxNode) -> bool {
    node.children().any(|child| ast::OwnerTo::can_cast(child.kind()))
}

/// What an `ALTER` alters: the first child that names something.
fn altered_name(node: &SyntaxNode) -> Option<Name> {
    let child = node.children().find(|child| child.kind() != SyntaxKind::IF_EXISTS)?;
    Some(names::first(&child).unwrap_or_else(|| Name::new(names::plain(&child))))
}

fn rename(statement: &SyntaxNode, child: &SyntaxNode, kind: Kind) -> Option<Action> {
    let name = altered_name(statement)?;
    if format!("{:?}", child.kind()).ends_with("_RENAME_TO") {
        let to = child.children().last()?;
        let to = names::first(&to).map_or_else(|| names::plain(&to), |name| name.name);
        let on = statement
            .children()
            .find(|child| matches!(child.kind(), SyntaxKind::ON_RELATION | SyntaxKind::ON_TABLE))
            .and_then(|child| names::first(&child));
        return Some(Action::Rename { kind, on, from: name, to });
    }
    match child.kind() {
        SyntaxKind::SET_SCHEMA => {
            let schema = names::plain(&child.children().last()?);
            Some(Action::SetSchema { kind, name, schema })
        }
        SyntaxKind::RENAME_COLUMN => {
            let rename = ast::RenameColumn::cast(child.clone())?;
            let from = Name::new(rename.column_name_ref()?.text());
            let to = rename.column_name()?.text();
            Some(Action::Rename { kind: Kind::Column, on: Some(name), from, to })
        }
        SyntaxKind::RENAME_CONSTRAINT => {
            let rename = ast::RenameConstraint::cast(child.clone())?;
            let from = Name::new(names::plain(rename.constraint_name_ref()?.syntax()));
            let to = names::plain(rename.constraint_name()?.syntax());
            Some(Action::Rename { kind: Kind::Constraint, on: Some(name), from, to })
        }
        SyntaxKind::RENAME_ATTRIBUTE => {
            let rename = ast::RenameAttribute::cast(child.clone())?;
            let from = Name::new(names::plain(rename.composite_field_ref()?.syntax()));
            let to = names::plain(rename.composite_field()?.syntax());
            Some(Action::Rename { kind: Kind::Attribute, on: Some(name), from, to })
        }
        SyntaxKind::RENAME_VALUE => {
            let values: Vec<String> = child
                .children()
                .filter_map(ast::Literal::cast)
                .filter_map(|value| value.string_value())
                .collect();
            let [from, to] = values.as_slice() else { return None };
            Some(Action::Rename {
                kind: Kind::EnumValue,
                on: Some(name),
                from: Name::new(from),
                to: to.clone(),
            })
        }
        _ => None,
    }
}

fn alter_type(name: Name, action: &ast::AlterTypeAction) -> Action {
    match action {
        ast::AlterTypeAction::AddValue(add) => {
            let value = add.literal().and_then(|literal| literal.string_value()).unwrap_or_default();
            Action::AddEnumValue { ty: name, value }
        }
        ast::AlterTypeAction::AlterTypeAttributeActionList(list) => {
            let drops = list
                .actions()
                .any(|action| !matches!(action, ast::AlterTypeAttributeAction::AddAttribute(_)));
            let what = if drops { "drops or changes an attribute of" } else { "adds an attribute to" };
            Action::AlterAttribute { ty: name, what }
        }
        ast::AlterTypeAction::OwnerTo(_) => Action::ChangeOwner { kind: Kind::Type, name },
        _ => Action::Nothing("changes an option of a type"),
    }
}

fn alter_domain(name: Name, action: &ast::AlterDomainAction) -> Action {
    let change = match action {
        ast::AlterDomainAction::AddConstraint(add) => DomainChange::AddConstraint {
            not_valid: add.syntax().descendants().any(|inner| ast::NotValid::can_cast(inner.kind())),
        },
        ast::AlterDomainAction::SetNotNull(_) => DomainChange::SetNotNull,
        ast::AlterDomainAction::ValidateConstraint(_) => DomainChange::Validate,
        ast::AlterDomainAction::DropConstraint(_) => DomainChange::DropConstraint,
        ast::AlterDomainAction::DropNotNull(_) => DomainChange::DropNotNull,
        ast::AlterDomainAction::SetDefault(_) => DomainChange::SetDefault,
        ast::AlterDomainAction::DropDefault(_) => DomainChange::DropDefault,
        _ => return Action::ChangeOwner { kind: Kind::Domain, name },
    };
    Action::AlterDomain { domain: name, change }
}

fn create_index(create: &ast::CreateIndex) -> Option<Action> {
    let columns = create.partition_item_list().map_or_else(Vec::new, |list| {
        list.syntax()
            .descendants()
            .filter(|inner| inner.kind() == SyntaxKind::NAME_REF)
            .map(|inner| names::plain(&inner))
            .collect()
    });
    Some(Action::CreateIndex {
        name: create.index().and_then(|index| names::first(index.syntax())),
        table: names::table(create.table_relation_name())?,
        unique: create.unique_token().is_some(),
        concurrently: create.concurrently_token().is_some(),
        columns,
        text: flat(create.syntax()),
    })
}

/// The columns of a view, where they can be read off its text: `SELECT *` cannot.
fn view_columns(list: Option<ast::ColumnList>, query: Option<ast::SelectVariant>) -> Option<Vec<String>> {
    if let Some(list) = list {
        return Some(list.column_names().map(|name| name.text()).collect());
    }
    let Some(ast::SelectVariant::Select(select)) = query else { return None };
    select.select_clause()?.target_list()?.targets().map(|target| target_name(&target)).collect()
}

fn target_name(target: &ast::Target) -> Option<String> {
    if target.star_token().is_some() {
        return None;
    }
    if let Some(alias) = target.as_name() {
        return Some(names::plain(&alias.syntax().children().last()?));
    }
    let expr = target.expr()?;
    match expr {
        ast::Expr::NameRef(name) => Some(names::plain(name.syntax())),
        ast::Expr::FieldExpr(field) => Some(names::plain(&field.syntax().children().last()?)),
        _ => None,
    }
}
