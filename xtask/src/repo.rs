//! Where things are: the checkout, its files, cargo, programs on the search path.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shell::Shell;
use crate::step::Failure;

/// Directories that hold what is built, not what is written.
const BUILT: [&str; 3] = [".git", "target", "docs/book"];

/// The checkout that this program was built from.
pub(crate) struct Repo {
    root: PathBuf,
    cargo: OsString,
}

impl Repo {
    /// Found by the directory of this crate, which cargo names when it runs us.
    pub(crate) fn locate() -> Self {
        let xtask = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = xtask.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self { root, cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()) }
    }

    /// A checkout at `root`, for tests.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf(), cargo: "cargo".into() }
    }

    /// The top of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command at the top of the checkout.
    pub(crate) fn cargo<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Shell {
        Shell::new(&self.cargo, &self.root).shown_as("cargo").args(args)
    }

    /// The text of a file of the checkout.
    pub(crate) fn read(&self, path: &str) -> Result<String, Failure> {
        fs::read_to_string(self.root.join(path)).map_err(|e| Failure::new(format!("cannot read {path}: {e}")))
    }

    /// Every written file under `dir` as a path relative to the root, in name order.
    ///
    /// The directory is walked rather than asked of git: git need not be installed.
    pub(crate) fn files(&self, dir: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut open = vec![dir.to_owned()];
        while let Some(dir) = open.pop() {
            let cannot = |e| Failure::new(format!("cannot list {dir}: {e}"));
            for entry in fs::read_dir(self.root.join(&dir)).map_err(cannot)? {
                let entry = entry.map_err(cannot)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
                let kind = entry.file_type().map_err(cannot)?;
                if kind.is_dir() && !BUILT.contains(&path.as_str()) {
                    open.push(path);
                } else if kind.is_file() {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The packages of the workspace as `cargo metadata` describes them.
    pub(crate) fn packages(&self) -> Result<Vec<Value>, Failure> {
        let text = self.cargo(["metadata", "--no-deps", "--format-version", "1"]).capture()?;
        let mut metadata: Value = serde_json::from_str(&text)
            .map_err(|e| Failure::new(format!("cargo metadata is no JSON: {e}")))?;
        match metadata.get_mut("packages").map(Value::take) {
            Some(Value::Array(packages)) => Ok(packages),
            _ => Err(Failure::new("cargo metadata lists no packages")),
        }
    }

    /// Whether the workspace has a package of this name.
    pub(crate) fn has_package(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.packages()?.iter().any(|package| package.get("name").and_then(Value::as_str) == Some(name)))
    }
}

/// The first of `names` that is a program on the search path `path`.
pub(crate) fn find_program(names: &[&str], path: Option<OsString>) -> Option<PathBuf> {
    let dirs: Vec<PathBuf> = path.map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    names.iter().find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|file| file.is_file()))
}

/// [`find_program`] on this process's own search path.
pub(crate) fn which(names: &[&str]) -> Option<PathBuf> {
    find_program(names, env::var_os("PATH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_directories_are_no_part_of_the_files() {
        let dir = tempfile::tempdir().unwrap();
        for path in
            ["a.md", "src/b.rs", "target/c.rs", ".git/d", "docs/book/e.html", "docs/src/f.md", "src/target/g"]
        {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let repo = Repo::at(dir.path());
        assert_eq!(repo.files("").unwrap(), ["a.md", "docs/src/f.md", "src/b.rs", "src/target/g"]);
        assert_eq!(repo.files("docs").unwrap(), ["docs/src/f.md"]);
        assert!(repo.files("nowhere").unwrap_err().to_string().starts_with("cannot list nowhere"));
    }

    #[test]
    fn programs_are_found_by_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("second"), "").unwrap();
        let path = || Some(dir.path().as_os_str().to_owned());
        assert_eq!(find_program(&["first", "second"], path()), Some(dir.path().join("second")));
        assert_eq!(find_program(&["first"], path()), None);
        assert_eq!(find_program(&["second"], None), None);
    }

    #[test]
    fn this_crate_is_a_package_of_the_workspace() {
        let repo = Repo::locate();
        assert_eq!(repo.has_package("xtask"), Ok(true));
        assert_eq!(repo.has_package("no-such-package"), Ok(false));
    }
}
