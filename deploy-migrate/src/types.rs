//! Which changes of a type PostgreSQL makes without writing the table anew.

use crate::facts::Type;

/// What a change of a column's type comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeChange {
    /// Every old value is a new one, stored as it was.
    Widens,
    /// The type was not known; if it was a character type, it widens.
    WidensPerhaps,
    /// The table is written anew, or values may no longer fit.
    Rewrites,
}

/// The scale of a `numeric` that names only its precision.
const NO_SCALE: u32 = 0;

/// Compares the type that a column has, if it is known, with the one it is to get.
pub(crate) fn change(from: Option<&Type>, to: &Type, converted: bool) -> TypeChange {
    let Some(from) = from else {
        let open = to.name == "text" && !to.array && !converted;
        return if open { TypeChange::WidensPerhaps } else { TypeChange::Rewrites };
    };
    if from.array != to.array || converted {
        return TypeChange::Rewrites;
    }
    if widens(from, to) { TypeChange::Widens } else { TypeChange::Rewrites }
}

fn widens(from: &Type, to: &Type) -> bool {
    let same = from.name == to.name;
    match (from.name.as_str(), to.name.as_str()) {
        ("text", "varchar") => to.args.is_empty(),
        ("varchar" | "text", "text") => true,
        ("cidr", "inet") => true,
        ("varchar" | "varbit", _) | ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", _)
            if same =>
        {
            to.args.is_empty()
                || from.args.first().is_some_and(|old| to.args.first().is_some_and(|new| new >= old))
        }
        ("numeric", "numeric") => numeric_widens(&from.args, &to.args),
        _ => same && from.args == to.args,
    }
}

/// A numeric may get more digits before the point, but not another number of digits after it.
fn numeric_widens(from: &[u32], to: &[u32]) -> bool {
    let scale = |args: &[u32]| args.get(1).copied().unwrap_or(NO_SCALE);
    match (from.first(), to.first()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => new >= old && scale(from) == scale(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(name: &str, args: &[u32]) -> Type {
        Type { name: name.into(), args: args.to_vec(), array: false, text: String::new() }
    }

    fn is(from: Type, to: Type) -> TypeChange {
        change(Some(&from), &to, false)
    }

    #[test]
    fn what_only_widens_is_known() {
        assert_eq!(is(ty("varchar", &[10]), ty("varchar", &[20])), TypeChange::Widens);
        assert_eq!(is(ty("varchar", &[10]), ty("text", &[])), TypeChange::Widens);
        assert_eq!(is(ty("numeric", &[10, 2]), ty("numeric", &[12, 2])), TypeChange::Widens);
        assert_eq!(is(ty("numeric", &[10, 2]), ty("numeric", &[])), TypeChange::Widens);
    }

    #[test]
    fn everything_else_rewrites_or_does_not_fit() {
        assert_eq!(is(ty("varchar", &[20]), ty("varchar", &[10])), TypeChange::Rewrites);
        assert_eq!(is(ty("varchar", &[]), ty("varchar", &[10])), TypeChange::Rewrites);
        assert_eq!(is(ty("numeric", &[10, 2]), ty("numeric", &[12, 3])), TypeChange::Rewrites);
        assert_eq!(is(ty("int4", &[]), ty("int8", &[])), TypeChange::Rewrites);
        assert_eq!(is(ty("int4", &[]), ty("text", &[])), TypeChange::Rewrites);
        assert_eq!(change(Some(&ty("varchar", &[1])), &ty("text", &[]), true), TypeChange::Rewrites);
    }

    #[test]
    fn an_unknown_type_may_become_text_and_nothing_else() {
        assert_eq!(change(None, &ty("text", &[]), false), TypeChange::WidensPerhaps);
        assert_eq!(change(None, &ty("varchar", &[20]), false), TypeChange::Rewrites);
    }
}
