//! Which of our crates may depend on which.

use serde_json::Value;

const CORE: &str = "mpac-deploy-core";
const TESTKIT: &str = "mpac-deploy-testkit";
const AWS: &str = "mpac-deploy-aws";
const MIGRATE: &str = "mpac-deploy-migrate";
const SERVICES: &str = "mpac-deploy-services";

/// What one crate may depend on.
struct Rule {
    package: &'static str,
    /// In what it ships.
    ships: &'static [&'static str],
    /// In its tests, besides that.
    tests: &'static [&'static str],
}

/// The table of `docs/src/architecture.md`. The adapters never see each other; their tests run the testkit's conformance suites.
const RULES: [Rule; 8] = [
    Rule { package: CORE, ships: &[], tests: &[] },
    Rule { package: TESTKIT, ships: &[CORE], tests: &[] },
    Rule { package: AWS, ships: &[CORE], tests: &[TESTKIT] },
    Rule { package: MIGRATE, ships: &[CORE], tests: &[TESTKIT] },
    Rule { package: SERVICES, ships: &[CORE], tests: &[TESTKIT] },
    Rule { package: "mpac-deploy-examples", ships: &[CORE, TESTKIT, AWS, MIGRATE, SERVICES], tests: &[] },
    Rule { package: "mpac-deploy-benches", ships: &[CORE, TESTKIT, AWS, MIGRATE, SERVICES], tests: &[] },
    Rule { package: "xtask", ships: &[], tests: &[] },
];

/// Every dependency between packages of `cargo metadata` that the rules do not allow.
pub(super) fn violations(packages: &[Value]) -> Vec<String> {
    let names: Vec<&str> = packages.iter().filter_map(|package| text(package, "name")).collect();
    let mut found = Vec::new();
    for package in packages {
        let name = text(package, "name").unwrap_or_default();
        let Some(rule) = RULES.iter().find(|rule| rule.package == name) else {
            found.push(format!("`{name}` has no rule; add one to xtask/src/checks/direction.rs and to the table in docs/src/architecture.md"));
            continue;
        };
        for (to, kind) in ours(package, &names) {
            if !allowed(rule, to, kind) {
                found.push(format!(
                    "`{name}` must not depend on `{to}` ({kind} dependency): see docs/src/architecture.md"
                ));
            }
        }
    }
    found
}

/// The dependencies of a package that are in the workspace too, with their kind.
fn ours<'a>(package: &'a Value, names: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let dependencies = package.get("dependencies").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    dependencies
        .iter()
        .filter_map(|dependency| {
            Some((text(dependency, "name")?, text(dependency, "kind").unwrap_or("normal")))
        })
        .filter(|(name, _)| names.contains(name))
}

fn allowed(rule: &Rule, to: &str, kind: &str) -> bool {
    rule.ships.contains(&to) || (kind == "dev" && rule.tests.contains(&to))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of all our crates in which `from` depends on `to`.
    fn with(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let package = |name: &str| {
            let dependencies = if name == from { json!([{ "name": to, "kind": kind }]) } else { json!([]) };
            json!({ "name": name, "dependencies": dependencies })
        };
        let packages: Vec<Value> = RULES.iter().map(|rule| package(rule.package)).collect();
        violations(&packages)
    }

    #[test]
    fn the_core_depends_on_nothing_of_ours_not_even_in_tests() {
        assert_eq!(with(CORE, TESTKIT, Some("dev")).len(), 1);
        assert_eq!(with(CORE, "serde", None), Vec::<String>::new());
    }

    #[test]
    fn adapters_see_the_core_and_never_each_other() {
        assert_eq!(with(AWS, CORE, None), Vec::<String>::new());
        for (from, to) in [(AWS, MIGRATE), (MIGRATE, SERVICES), (SERVICES, AWS)] {
            assert_eq!(with(from, to, None).len(), 1, "{from} -> {to}");
            assert_eq!(with(from, to, Some("dev")).len(), 1, "{from} -> {to} in tests");
        }
    }

    #[test]
    fn the_testkit_is_for_an_adapters_tests_only() {
        assert_eq!(with(AWS, TESTKIT, Some("dev")), Vec::<String>::new());
        let found = with(AWS, TESTKIT, None);
        assert_eq!(
            found,
            [
                "`mpac-deploy-aws` must not depend on `mpac-deploy-testkit` (normal dependency): see docs/src/architecture.md"
            ]
        );
    }

    #[test]
    fn a_crate_without_a_rule_is_refused() {
        let found = violations(&[json!({ "name": "mpac-deploy-new", "dependencies": [] })]);
        assert!(found.concat().starts_with("`mpac-deploy-new` has no rule"), "{found:?}");
    }
}
