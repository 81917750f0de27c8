//! Python packages that tests need, pinned in `xtask/python-requirements.txt`.
//!
//! No file, or a file of comments, means that nothing is needed and no environment is made.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::repo::Repo;
use crate::shell::Shell;
use crate::step::Failure;

const REQUIREMENTS: &str = "xtask/python-requirements.txt";
/// Where the environment is, relative to the checkout.
pub(crate) const VENV: &str = "target/xtask/venv";

/// Whether any package is asked for.
pub(crate) fn needed(repo: &Repo) -> bool {
    fs::read_to_string(repo.root().join(REQUIREMENTS)).is_ok_and(|text| !requirements(&text).is_empty())
}

/// Makes the environment at `venv` if it is missing or made from other requirements.
/// Returns the `PATH` under which `python3` is the environment's own.
///
/// # Errors
/// If a requirement names no exact version, or a command fails.
pub(crate) fn prepare(repo: &Repo, venv: &Path) -> Result<OsString, Failure> {
    let text = repo.read(REQUIREMENTS)?;
    let unpinned: Vec<String> = requirements(&text)
        .into_iter()
        .filter(|line| !line.contains("=="))
        .map(|line| format!("{REQUIREMENTS}: `{line}` is not pinned; write NAME==VERSION"))
        .collect();
    Failure::unless_empty(unpinned)?;

    let stamp = venv.join("requirements.txt");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&text) {
        let venv_arg = venv.to_string_lossy();
        Shell::new("python3", repo.root()).args(["-m", "venv", "--clear", &*venv_arg]).run()?;
        let pip = venv.join("bin/pip");
        Shell::new(pip, repo.root()).args(["install", "--quiet", "--requirement", REQUIREMENTS]).run()?;
        fs::write(&stamp, &text)
            .map_err(|e| Failure::new(format!("cannot write {}: {e}", stamp.display())))?;
    }
    search_path(venv, env::var_os("PATH"))
}

fn requirements(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn search_path(venv: &Path, path: Option<OsString>) -> Result<OsString, Failure> {
    let rest = path.map(|path| env::split_paths(&path).collect::<Vec<PathBuf>>()).unwrap_or_default();
    env::join_paths(std::iter::once(venv.join("bin")).chain(rest))
        .map_err(|e| Failure::new(format!("no PATH with {} in front: {e}", venv.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo_with(requirements: Option<&str>) -> (tempfile::TempDir, Repo) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("xtask")).unwrap();
        if let Some(text) = requirements {
            fs::write(dir.path().join(REQUIREMENTS), text).unwrap();
        }
        let repo = Repo::at(dir.path());
        (dir, repo)
    }

    #[test]
    fn no_requirements_need_no_environment() {
        assert!(!needed(&repo_with(None).1));
        assert!(!needed(&repo_with(Some("# nothing yet\n\n")).1));
        assert!(needed(&repo_with(Some("# moto\nmoto==5.1.0\n")).1));
    }

    #[test]
    fn a_requirement_without_a_version_is_refused_before_anything_is_made() {
        let (dir, repo) = repo_with(Some("moto>=5\n"));
        let venv = dir.path().join("venv");
        let text = prepare(&repo, &venv).unwrap_err().to_string();
        assert!(text.contains("`moto>=5` is not pinned"), "{text}");
        assert!(!venv.exists());
    }

    #[test]
    fn the_environment_comes_first_on_the_search_path() {
        let path = search_path(Path::new("/v"), Some("/a:/b".into())).unwrap();
        assert_eq!(path, "/v/bin:/a:/b");
    }
}
