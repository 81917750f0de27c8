//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mpac_deploy_migrate::checklist::Item;
use serde::Deserialize;

use crate::person;

const EXIT_STATUS: &str = "Exit status: 0 done as asked, 1 rolled back or a check found something, 2 unusable input, \
                           3 the world could not be reached.";

/// Blue-green deployments that take themselves back when they go wrong.
#[derive(Debug, Parser)]
#[command(name = "mpac-deploy", version, after_help = EXIT_STATUS, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch the whole strategy on a simulated world: a good release, and a bad one that is taken back.
    Demo(DemoOptions),
    /// Check, show or describe policies: what a rollout follows.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Roll a release out in a simulated world in which something named goes wrong.
    Simulate(SimulateOptions),
    /// Say what a policy would have done on recorded metrics.
    Backtest(BacktestOptions),
    /// Say what migrations mean for old and new code that run side by side.
    #[command(subcommand)]
    Migrations(MigrationsCommand),
    /// Say on one screen where a rollout stands: its stage, weights and bake, every rule's evidence, and what comes next.
    Status(person::StatusOptions),
    /// The same, live, until it is over: 0 completed, 1 taken back.
    Watch(person::WatchOptions),
    /// Hold a rollout where it is: nothing moves towards green, triggers still take it back.
    Pause(person::TellOptions),
    /// Let a paused rollout go on.
    Resume(person::TellOptions),
    /// Skip the rest of a bake; refused while something speaks against it, unless forced.
    Promote(person::PromoteOptions),
    /// Let a step be made that waits for a person: a stage's weights, or the retirement of blue.
    Approve(person::ApproveOptions),
    /// Take a rollout back, by the way that the decision matrix has for what is wrong.
    Abort(person::AbortOptions),
    /// Print all that was decided, done and said of a rollout.
    History(person::HistoryOptions),
    /// Print what AWS needs for a rollout, or check what is there.
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Infra(crate::infra::InfraCommand),
    /// Roll a release out on AWS, or go on with the rollout that is not over.
    #[cfg(feature = "aws")]
    Run(crate::run::RunOptions),
    /// Say what `run` would do on AWS, and whether it may; changes nothing.
    #[cfg(feature = "aws")]
    Plan(crate::plan::PlanOptions),
    /// Start a simulated AWS, for `run`, `plan` and any other client of AWS.
    #[cfg(feature = "aws")]
    SimAws(crate::sim_aws::SimAwsOptions),
}

#[derive(Debug, Subcommand)]
pub(crate) enum MigrationsCommand {
    /// Judge every statement: 0 nothing is wrong, 1 something is, 2 something cannot be read.
    Check(CheckOptions),
    /// The strategy's pre-deployment checklist: 0 every item has passed or is confirmed, 1 some have not, 2 something cannot be read.
    Checklist(ChecklistOptions),
    /// Run the migrations there, back and there again on a copy of the database's schema: 0 all is right, 1 something is not, 2 the arguments or
    /// files cannot be used, 3 a server or program cannot.
    #[cfg(feature = "database")]
    Rehearse(crate::rehearse::RehearseOptions),
}

/// Which migrations, and what is known of them.
#[derive(Args, Debug)]
pub(crate) struct Files {
    /// SQL files, which are one release if named one by one; directories of golang-migrate or of plain SQL; Alembic projects
    /// (a directory with an alembic.ini, or one revision script).
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The phase that these migrations are meant for: in `expand` what belongs into phase 2 is wrong too.
    #[arg(long, value_enum)]
    pub(crate) phase: Option<Phase>,
    /// The version that the database is at: files up to it are known history, those after it are one release.
    #[arg(long, value_name = "VERSION")]
    pub(crate) deployed: Option<String>,
    /// The last version that counts: what comes after it, such as phase 2, is left out.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,
    /// PostgreSQL's version, tables known to be small, and services, as TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How Alembic is run; `uv run alembic` in a project of uv, else `alembic`.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) alembic: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    pub(crate) files: Files,
    /// One JSON document on standard output: `{"statements": [{"file", "line", "class", "rule", "message", "fix"}], "verdict"}`.
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Warnings are wrong too, such as an index that is built while writes wait.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChecklistOptions {
    #[command(flatten)]
    pub(crate) files: Files,
    /// An item that a person confirms, and who: `local`, `staging`, `rollback`, `both-versions`, `drops`, `indexes`, `types` or `time`. What was
    /// found to be wrong is not confirmed away.
    #[arg(long, value_name = "ITEM=NAME", value_parser = confirmed)]
    pub(crate) confirm: Vec<(Item, String)>,
    /// What `migrations rehearse --json` has written of the same files: it answers for the way back, and for the time.
    #[arg(long, value_name = "FILE")]
    pub(crate) rehearsal: Option<PathBuf>,
    /// One JSON document on standard output: `{"complete", "items": [{"item", "sentence", "standing", "why", "by"}]}`.
    #[arg(long)]
    pub(crate) json: bool,
}

fn confirmed(text: &str) -> Result<(Item, String), String> {
    let (item, name) = text.split_once('=').ok_or("say ITEM=NAME, as in staging=ada")?;
    let all = || Item::ALL.map(Item::id).join(", ");
    let item =
        Item::by_id(item.trim()).ok_or_else(|| format!("there is no item `{item}`; there are {}", all()))?;
    let name = name.trim();
    if name.is_empty() {
        return Err(format!("who confirms `{}`?", item.id()));
    }
    Ok((item, name.to_owned()))
}

/// What `migrations check` writes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// As with `--json`.
    Json,
    /// JSON with columns, locks, scans, rewrites, what breaks, and all findings.
    JsonFull,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations on a pull request of GitHub.
    Github,
}

/// A phase of the strategy.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Phase {
    /// Before green starts.
    Expand,
    /// A day after the cutover.
    Contract,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy: 0 it is safe, 1 it is refused, 2 it cannot be read.
    Check {
        /// The policy, TOML or JSON; `-` reads standard input.
        file: PathBuf,
        /// One JSON document on standard output: `{"valid": true, "name", "stages", "metrics"}` or `{"valid": false,
        /// "path", "problem"}`.
        #[arg(long)]
        json: bool,
    },
    /// Write a built-in policy as TOML: a start for one of your own.
    Show {
        /// Which one.
        #[arg(long, value_enum, default_value_t = Preset::Mpac)]
        preset: Preset,
        /// As JSON instead of TOML.
        #[arg(long)]
        json: bool,
    },
    /// Write the JSON Schema of a policy, for editors and validators.
    Schema {
        /// Accepted for symmetry: a schema is always JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The built-in policies.
#[derive(Clone, Copy, Debug, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    /// The deployment strategy of the MPAC SmartPOS Cloud Platform.
    Mpac,
}

#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    #[cfg(feature = "live")]
    #[command(flatten)]
    pub(crate) live: crate::demo::Live,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) on_aws: crate::demo::OnAws,
    /// How many seconds of the world pass in one of yours: 750, 120 with `--live`, or 300 with `--aws`, where calls take real time. What
    /// happens does not depend on it otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) speed: Option<u32>,
    /// Also write a report of both rollouts: one HTML file that needs no network.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct SimulateOptions {
    /// The policy, TOML or JSON; the preset `mpac` if left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// What goes wrong; `--list` names all scenarios.
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    pub(crate) scenario: Option<String>,
    /// The seed of the world's chance: the same one gives the same rollout, byte for byte.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// One JSON document on standard output: `{"scenario", "seed", "outcome", "stage", "rule", "why", "as_expected", "began",
    /// "ended", "weights", "decisions"}`, with `--list` `{"scenarios": [{"name", "description", "expected"}]}`.
    #[arg(long)]
    pub(crate) json: bool,
    /// Name all scenarios and say how each should end under the preset.
    #[arg(long, conflicts_with_all = ["scenario", "report"])]
    pub(crate) list: bool,
    /// Also write a report: one HTML file that needs no network.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct BacktestOptions {
    /// The policy, TOML or JSON; the preset `mpac` if left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The recording: CSV with the header `time,side,metric,value`; `-` reads standard input.
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) metrics: PathBuf,
    /// One JSON document on standard output: `{"outcome", "stage", "decisions", "skipped"}`.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write a report: one HTML file that needs no network.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}
