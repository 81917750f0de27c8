//! The headless browser that opens the report and the status page as a person would.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::repo::{Repo, find_program, which};
use crate::shell::Shell;
use crate::step::Failure;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser, or the reason why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Browser {
    /// The program to run.
    Found(PathBuf),
    /// Why the tests that need one are skipped.
    Missing(String),
}

/// Finds a browser on the search path; on Debian, as root, a missing one is installed.
///
/// # Errors
/// If it could be installed but was not: a run that could have had the test must not quietly go without it.
pub(crate) fn find(repo: &Repo, may_install: bool) -> Result<Browser, Failure> {
    let decision = decide(which(&NAMES), may_install, &Machine::look(repo)?);
    match decision {
        Decision::Use(path) => Ok(Browser::Found(path)),
        Decision::Skip(why) => Ok(Browser::Missing(why)),
        Decision::Install(apt_get) => {
            install(repo, &apt_get)?;
            let installed = find_program(&NAMES, std::env::var_os("PATH"));
            installed
                .map(Browser::Found)
                .ok_or_else(|| Failure::new("chromium was installed but is not on the PATH"))
        }
    }
}

/// What decides whether a package can be installed.
struct Machine {
    root: bool,
    debian: bool,
    apt_get: Option<PathBuf>,
}

impl Machine {
    fn look(repo: &Repo) -> Result<Self, Failure> {
        let uid = Shell::new("id", repo.root()).args(["-u"]).capture()?;
        Ok(Self {
            root: uid.trim() == "0",
            debian: Path::new("/etc/debian_version").exists(),
            apt_get: which(&["apt-get"]),
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Use(PathBuf),
    Install(PathBuf),
    Skip(String),
}

fn decide(found: Option<PathBuf>, may_install: bool, machine: &Machine) -> Decision {
    let none = format!("none of {} is on the PATH", NAMES.join(", "));
    match (found, &machine.apt_get) {
        (Some(path), _) => Decision::Use(path),
        (None, _) if !may_install => Decision::Skip(format!("{none}, and --no-install was given")),
        (None, Some(apt_get)) if machine.debian && machine.root => Decision::Install(apt_get.clone()),
        (None, Some(_)) if machine.debian => {
            Decision::Skip(format!("{none}; as root: apt-get install chromium"))
        }
        (None, _) => Decision::Skip(format!("{none}, and this is no Debian on which to install one")),
    }
}

fn install(repo: &Repo, apt_get: &Path) -> Result<(), Failure> {
    let apt = |args: &[&str]| {
        Shell::new(apt_get, repo.root())
            .env("DEBIAN_FRONTEND", OsString::from("noninteractive"))
            .args(args)
            .run()
    };
    apt(&["update", "--quiet"])?;
    apt(&["install", "--quiet", "--yes", "--no-install-recommends", "chromium"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(root: bool, debian: bool) -> Machine {
        Machine { root, debian, apt_get: Some("/usr/bin/apt-get".into()) }
    }

    fn reason(decision: Decision) -> String {
        match decision {
            Decision::Skip(why) => why,
            Decision::Use(path) | Decision::Install(path) => format!("no skip but {}", path.display()),
        }
    }

    #[test]
    fn a_browser_that_is_there_is_used_whatever_the_machine() {
        let found = Some(PathBuf::from("/x/chromium"));
        assert_eq!(decide(found, false, &machine(false, false)), Decision::Use("/x/chromium".into()));
    }

    #[test]
    fn only_root_on_debian_installs_one() {
        assert_eq!(decide(None, true, &machine(true, true)), Decision::Install("/usr/bin/apt-get".into()));
        assert!(
            reason(decide(None, true, &machine(false, true))).ends_with("as root: apt-get install chromium")
        );
        assert!(
            reason(decide(None, true, &machine(true, false))).ends_with("no Debian on which to install one")
        );
        assert!(reason(decide(None, false, &machine(true, true))).ends_with("--no-install was given"));
    }

    #[test]
    fn a_debian_without_its_package_manager_skips() {
        let machine = Machine { apt_get: None, ..machine(true, true) };
        assert!(reason(decide(None, true, &machine)).starts_with("none of chromium, "));
    }
}
