//! Node packages that tests need, pinned in `xtask/node/package-lock.json`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::repo::{Repo, find_program};
use crate::shell::Shell;
use crate::step::Failure;

/// What is asked for, and what it is pinned to.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];
const SOURCE: &str = "xtask/node";
/// Where the packages are, relative to the checkout.
pub(crate) const PACKAGES: &str = "target/xtask/node";

/// The oldest Node that the packages run on.
const OLDEST: u32 = 20;

/// The packages, or the reason why there are none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packages {
    /// The program `dynalite`.
    Installed(PathBuf),
    /// Why the tests that need them are skipped.
    Missing(String),
}

/// Installs the packages in `folder` if they are missing or other ones are pinned by now.
///
/// # Errors
/// If there is a Node on which they run, and they cannot be installed: a run that could have had the tests must not quietly go
/// without them.
pub(crate) fn prepare(repo: &Repo, folder: &Path, path: Option<OsString>) -> Result<Packages, Failure> {
    let (Some(node), Some(npm)) = (find_program(&["node"], path.clone()), find_program(&["npm"], path))
    else {
        return Ok(Packages::Missing("node and npm are not both on the PATH".into()));
    };
    let version = Shell::new(&node, repo.root()).shown_as("node").args(["--version"]).capture()?;
    if major(&version).is_none_or(|major| major < OLDEST) {
        return Ok(Packages::Missing(format!("node is {}, and {OLDEST} is needed", version.trim())));
    }
    let texts = FILES.map(|name| repo.read(&format!("{SOURCE}/{name}")));
    let [package, lock] = texts;
    let (package, lock) = (package?, lock?);
    let stamp = folder.join("installed.json");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&lock) {
        write(folder, FILES[0], &package)?;
        write(folder, FILES[1], &lock)?;
        // What the packages would run at installation is not needed, so nothing is run.
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        Shell::new(&npm, folder).shown_as("npm").args(arguments).run()?;
        write(folder, "installed.json", &lock)?;
    }
    Ok(Packages::Installed(folder.join("node_modules/.bin/dynalite")))
}

/// Runs on this process's own search path.
pub(crate) fn find(repo: &Repo) -> Result<Packages, Failure> {
    prepare(repo, &repo.root().join(PACKAGES), env::var_os("PATH"))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let file = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
    written.map_err(|error| Failure::new(format!("cannot write {}: {error}", file.display())))
}

/// 20 of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_node_there_are_no_packages_and_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::at(dir.path());
        let path = Some(dir.path().as_os_str().to_owned());
        let found = prepare(&repo, &dir.path().join("packages"), path).unwrap();
        assert_eq!(found, Packages::Missing("node and npm are not both on the PATH".into()));
        assert!(!dir.path().join("packages").exists());
    }

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20.1"), None);
    }

    #[test]
    fn every_package_is_pinned() {
        let lock =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("node/package-lock.json")).unwrap();
        let package =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("node/package.json")).unwrap();
        assert!(package.contains("\"dynalite\": \"4.0.0\""), "{package}");
        assert!(lock.contains("\"integrity\": \"sha512-"), "{lock}");
    }
}
