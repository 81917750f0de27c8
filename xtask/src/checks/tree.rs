//! What is below a crate, from `cargo tree`.

/// Crates that read a clock, draw chance, or reach a file, a socket, a thread or the operating system,
/// and crates that cannot be built without the standard library. None may be below the pure core.
const IMPURE: [&str; 42] = [
    "async-io",
    "async-std",
    "crossbeam-channel",
    "curl",
    "dirs",
    "errno",
    "fastrand",
    "futures-executor",
    "getrandom",
    "h2",
    "hyper",
    "hyper-util",
    "iana-time-zone",
    "libc",
    "libsqlite3-sys",
    "mio",
    "native-tls",
    "nix",
    "notify",
    "openssl-sys",
    "parking_lot",
    "polling",
    "postgres",
    "rand",
    "rand_chacha",
    "rand_core",
    "redis",
    "reqwest",
    "rusqlite",
    "rustix",
    "rustls",
    "signal-hook",
    "smol",
    "socket2",
    "sqlx",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "tokio-util",
    "toml",
    "tracing-subscriber",
    "ureq",
];

/// Families of crates with the same property.
const IMPURE_PREFIXES: [&str; 6] = ["aws-", "tokio-", "wasi", "wasm-bindgen", "windows", "js-sys"];

/// Features that switch the standard library or a clock on in a crate that can do without.
const IMPURE_FEATURES: [&str; 5] = ["std", "clock", "now", "wasmbind", "os_rng"];

/// A crate of the tree with the features it is built with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crate<'a> {
    name: &'a str,
    features: Vec<&'a str>,
}

/// Reads `cargo tree --prefix none --format '{p}|{f}'`, each crate once.
pub(super) fn parse(text: &str) -> Vec<Crate<'_>> {
    let mut crates: Vec<Crate<'_>> = Vec::new();
    for (package, features) in text.lines().filter_map(|line| line.split_once('|')) {
        let Some(name) = package.split_whitespace().next() else { continue };
        if crates.iter().all(|seen| seen.name != name) {
            let features = features.trim_end_matches("(*)").trim();
            crates.push(Crate { name, features: features.split(',').filter(|f| !f.is_empty()).collect() });
        }
    }
    crates
}

/// Why `crates` is not what a pure core may stand on.
pub(super) fn impure(crates: &[Crate<'_>]) -> Vec<String> {
    if crates.is_empty() {
        return vec!["cargo tree printed no crate: the check would pass whatever is in the tree".to_owned()];
    }
    let mut found = Vec::new();
    for Crate { name, features } in crates {
        if IMPURE.contains(name) || IMPURE_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            found.push(format!(
                "`{name}` is below the pure core; put the dependency behind the `driver` or `text` feature"
            ));
        }
        for feature in features.iter().filter(|feature| IMPURE_FEATURES.contains(feature)) {
            found.push(format!(
                "`{name}` is built with `{feature}` below the pure core; switch the feature off"
            ));
        }
    }
    found
}

/// The AWS crates below `package`.
pub(super) fn aws(package: &str, crates: &[Crate<'_>]) -> Vec<String> {
    crates
        .iter()
        .filter(|below| below.name.starts_with("aws-"))
        .map(|below| {
            format!("`{}` is in the default build of {package}; put it behind a feature", below.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURE: &str = "mpac-deploy-core v0.1.0 (/x)|\nchrono v0.4.45|alloc\nnum-traits v0.2|libm\nchrono v0.4.45|alloc (*)\n";

    fn of(text: &str) -> Vec<String> {
        impure(&parse(text))
    }

    #[test]
    fn a_tree_is_read_with_its_features_and_each_crate_once() {
        let crates = parse(PURE);
        let names: Vec<_> = crates.iter().map(|below| below.name).collect();
        assert_eq!(names, ["mpac-deploy-core", "chrono", "num-traits"]);
        assert_eq!(crates.get(1).map(|below| below.features.clone()), Some(vec!["alloc"]));
        assert_eq!(of(PURE), Vec::<String>::new());
    }

    #[test]
    fn a_crate_that_does_io_is_named() {
        let found = of(&format!("{PURE}tokio v1.0|rt\naws-smithy-types v1|\n"));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.concat().contains("`tokio` is below") && found.concat().contains("`aws-smithy-types`"));
    }

    #[test]
    fn a_crate_whose_std_is_on_is_named() {
        let found = of("serde v1|alloc,derive,std\nchrono v0.4|clock (*)\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.concat().contains("`serde` is built with `std`"));
    }

    #[test]
    fn an_empty_tree_does_not_pass() {
        assert_eq!(of("").len(), 1);
    }

    #[test]
    fn aws_crates_are_named_with_the_build_they_are_in() {
        let found = aws("x", &parse("aws-config v1|\nlaws-of v1|\n"));
        assert_eq!(found, ["`aws-config` is in the default build of x; put it behind a feature"]);
    }
}
