//! golang-migrate, which no package registry has as a program: built from Go's module proxy where there is a Go, else a stand-in is tested.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::repo::{Repo, find_program};
use crate::shell::Shell;

/// What is built, with the one driver that is needed.
const PROGRAM: &str = "github.com/golang-migrate/migrate/v4/cmd/migrate@v4.19.1";
const DRIVER: &str = "postgres";
/// Where it is, relative to the checkout.
const HOME: &str = "target/xtask/go";

/// The real program, or the reason why the tests run on the stand-in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Migrate {
    /// On the search path already.
    Found,
    /// In this directory.
    Built(PathBuf),
    /// Why there is none.
    Missing(String),
}

/// Looks for it, and builds it if it can be. A proxy that is not reached is no failure: many a machine has none.
pub(crate) fn find(repo: &Repo, path: Option<OsString>) -> Migrate {
    let home = repo.root().join(HOME);
    if find_program(&["migrate"], path.clone()).is_some() {
        return Migrate::Found;
    }
    if home.join("migrate").is_file() {
        return Migrate::Built(home);
    }
    let Some(go) = find_program(&["go"], path) else {
        return Migrate::Missing("neither migrate nor go is on the PATH".into());
    };
    let install = Shell::new(&go, repo.root())
        .shown_as("go")
        .args(["install", "-tags", DRIVER, PROGRAM])
        .env("GOBIN", &home)
        .env("GOFLAGS", "-mod=mod");
    match install.capture() {
        Ok(_) if home.join("migrate").is_file() => Migrate::Built(home),
        Ok(_) => Migrate::Missing("go install left no program behind".into()),
        Err(failure) => Migrate::Missing(failure.to_string()),
    }
}

/// The search path with the program behind everything else.
pub(crate) fn extended(path: &OsString, home: PathBuf) -> OsString {
    let all = env::split_paths(path).chain([home]);
    // A path that was split can be joined unless the new part has a separator in it.
    env::join_paths(all).unwrap_or_else(|_| path.clone())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A `go` that does this with `$GOBIN` and its arguments.
    fn with_go(script: &str) -> (tempfile::TempDir, Migrate) {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let go = bin.join("go");
        fs::write(&go, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        let found = find(&Repo::at(dir.path()), Some(bin.into_os_string()));
        (dir, found)
    }

    #[test]
    fn it_is_built_where_there_is_a_go() {
        let (dir, found) = with_go("/bin/mkdir -p \"$GOBIN\"; echo \"$*\" > \"$GOBIN/migrate\"");
        let home = dir.path().join(HOME);
        assert_eq!(found, Migrate::Built(home.clone()));
        let asked = fs::read_to_string(home.join("migrate")).unwrap();
        assert_eq!(asked.trim(), format!("install -tags {DRIVER} {PROGRAM}"));
    }

    #[test]
    fn without_a_proxy_or_a_go_it_is_said_why() {
        let (_dir, found) = with_go("echo 'dial tcp: no such host' >&2; exit 1");
        assert!(matches!(&found, Migrate::Missing(why) if why.contains("no such host")), "{found:?}");
        let dir = tempfile::tempdir().unwrap();
        let none = find(&Repo::at(dir.path()), Some(dir.path().as_os_str().to_owned()));
        assert_eq!(none, Migrate::Missing("neither migrate nor go is on the PATH".into()));
    }

    #[test]
    fn the_program_comes_last_on_the_search_path() {
        assert_eq!(extended(&"/a:/b".into(), "/c".into()), "/a:/b:/c");
    }
}
