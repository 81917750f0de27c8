//! `demo --aws`: a simulated AWS and `run`, each in a process of its own, and the records as a third one sees them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use console::style;
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_aws::{Quota, Route53Config, Route53Traffic};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::RecordName;
use mpac_deploy_testkit::scenario;
use serde::Deserialize;
use std::collections::BTreeMap;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::cli::DemoOptions;
use crate::reply::{Failure, Reply, Status};
use crate::{runtime, say_line, sim_aws};

/// The strategy takes almost two hours: 23 seconds here. A call takes a few milliseconds, which is a second of the world.
const SPEED: u32 = 300;

/// How often the records are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How often they are looked at when all is over, until it works: a fault of the demonstration strikes this client as well.
const LAST_LOOKS: usize = 20;

/// The demonstration on a simulated AWS.
#[derive(Args, Debug)]
pub(crate) struct OnAws {
    /// On a simulated AWS instead: `sim-aws` and `run` in processes of their own, and the records' weights as they are seen from
    /// outside. The exit status is that of `run`.
    #[arg(long, conflicts_with = "report")]
    aws: bool,
    /// With `--aws`: what goes wrong in the world; `simulate --list` names all scenarios.
    #[arg(long, value_name = "NAME", requires = "aws", default_value = "healthy")]
    scenario: String,
    /// With `--aws`: what goes wrong with calls, as for `sim-aws`.
    #[arg(long = "fault", value_name = "FAULT", requires = "aws")]
    faults: Vec<String>,
}

impl OnAws {
    pub(super) const fn is_wanted(&self) -> bool {
        self.aws
    }
}

/// What `sim-aws --json` says.
#[derive(Debug, Deserialize)]
struct Announced {
    endpoint_url: String,
    clock: String,
    env: BTreeMap<String, String>,
}

pub(super) fn run(options: &DemoOptions) -> Result<Reply, Failure> {
    let folder = tempfile::tempdir().map_err(world)?;
    runtime::start()?.block_on(play(options, &folder.path().join("mpac-deploy.toml")))
}

async fn play(options: &DemoOptions, config: &Path) -> Result<Reply, Failure> {
    let scenario =
        scenario::by_name(&options.on_aws.scenario).map_err(|error| Failure::Input(error.to_string()))?;
    let (_aws, announced) = start_aws(options, config).await?;
    say_line(&format!("{} {}", style("A simulated AWS:").bold(), announced.endpoint_url));
    say_line(scenario.description);
    let traffic = traffic(&announced).await;
    let mut rollout = start_run(&announced, config, scenario.release.green.as_str())?;
    let stderr = rollout.stderr.take().map(|stderr| BufReader::new(stderr).lines());
    let mut stderr = stderr.ok_or_else(|| Failure::World("`run` has no standard error".into()))?;
    let mut seen = Vec::new();
    loop {
        tokio::select! {
            biased;
            line = stderr.next_line() => match line.map_err(world)? {
                Some(line) => say_line(&line),
                None => break,
            },
            // What fails is made up for by the next one.
            () = tokio::time::sleep(LOOK) => {
                look(&traffic, &mut seen).await;
            }
        }
    }
    let output = rollout.wait_with_output().await.map_err(world)?;
    for _ in 0..LAST_LOOKS {
        if look(&traffic, &mut seen).await {
            break;
        }
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    let weights: Vec<String> =
        seen.iter().map(|weights| format!("{}/{}", weights.blue, weights.green)).collect();
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        text,
        "The records' weights, blue/green, as they were seen from outside: {}",
        weights.join(", ")
    );
    Ok(Reply { status: status(output.status.code()), text })
}

/// Starts the simulated AWS, and waits until it says where it is.
async fn start_aws(options: &DemoOptions, config: &Path) -> Result<(Child, Announced), Failure> {
    let speed = options.speed.unwrap_or(SPEED).to_string();
    let mut command = ourselves()?;
    command.args(["sim-aws", "--json", "--scenario", &options.on_aws.scenario, "--speed", &speed]);
    command.arg("--write-config").arg(config);
    for fault in &options.on_aws.faults {
        command.args(["--fault", fault]);
    }
    let mut aws = command.stdout(Stdio::piped()).spawn().map_err(world)?;
    let stdout =
        aws.stdout.take().ok_or_else(|| Failure::World("`sim-aws` has no standard output".into()))?;
    let line = BufReader::new(stdout).lines().next_line().await.map_err(world)?;
    let line = line.ok_or_else(|| Failure::Input("the simulated AWS did not start".into()))?;
    let announced = serde_json::from_str(&line).map_err(world)?;
    Ok((aws, announced))
}

fn start_run(announced: &Announced, config: &Path, revision: &str) -> Result<Child, Failure> {
    let mut command = ourselves()?;
    command.arg("run").arg("--config").arg(config);
    command.args(["--revision", revision, "--clock", &announced.clock]).envs(&announced.env);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(world)
}

/// This program once more; it ends with us.
fn ourselves() -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe().map_err(world)?);
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

async fn traffic(announced: &Announced) -> Route53Traffic {
    let options = ClientOptions::default().with_endpoint_url(&announced.endpoint_url);
    let sdk = sdk_config(&options).await.into_builder().credentials_provider(sim_aws::credentials()).build();
    let config = Route53Config::new(sim_aws::ZONE, RecordName::from(sim_aws::RECORD));
    Route53Traffic::new(&sdk, &Quota::route53(), config)
}

/// Says the weights where they have changed; whether they could be read.
async fn look(traffic: &Route53Traffic, seen: &mut Vec<ObservedWeights>) -> bool {
    let Ok(weights) = traffic.weights().await else { return false };
    if seen.last() != Some(&weights) {
        seen.push(weights);
        say_line(&format!("{:>12} the records: {weights}", style("Route 53").cyan()));
    }
    true
}

const fn status(code: Option<i32>) -> Status {
    match code {
        Some(0) => Status::Done,
        Some(1) => Status::Found,
        Some(2) => Status::Unusable,
        Some(_) | None => Status::Unreachable,
    }
}

fn world(error: impl std::fmt::Display) -> Failure {
    Failure::World(error.to_string())
}
