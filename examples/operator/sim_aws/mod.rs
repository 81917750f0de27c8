//! `sim-aws`: a simulated AWS before a simulated world, for `run`, `plan` and any other client of AWS.

mod config;
mod fault;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use clap::Args;
use mpac_deploy_core::port::{Clock as _, SystemClock};
use mpac_deploy_testkit::aws_sim::{AwsSim, Bound, Settings};
use mpac_deploy_testkit::scenario::{self, Scenario};
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use serde_json::{Value, json};

use crate::aws::SimTime;
use crate::policy_file;
use crate::reply::{Failure, Reply};
use crate::runtime;
use crate::stops::Stops;
use fault::Planned;
pub(crate) use mpac_deploy_testkit::aws_sim::platform::{RECORD, ZONE};

/// Credentials that open nothing: the simulation looks at no signature.
const KEY: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"),
    ("AWS_SECRET_ACCESS_KEY", "simulated-and-worth-nothing"),
    ("AWS_REGION", "us-east-1"),
];

#[derive(Args, Debug)]
pub(crate) struct SimAwsOptions {
    /// The port on the loopback interface; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
    /// What goes wrong in the world; `simulate --list` names all scenarios.
    #[arg(long, value_name = "NAME", default_value = "healthy")]
    pub(crate) scenario: String,
    /// How many seconds of the world pass in one of yours.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) speed: u32,
    /// The seed of the world's chance.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// What goes wrong with calls, `WHAT=SHARE@WHERE` or, for the first call alone, `WHAT@WHERE`: WHAT is throttle, server-error,
    /// cut-before, cut-after or access-denied; WHERE is route53, ecs, elb, cloudwatch, dynamodb or a call such as
    /// ChangeResourceRecordSets. May be given more than once.
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<Planned>,
    /// What the caller may do: a policy of IAM, JSON. Everything if left out.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) policy: Option<PathBuf>,
    /// Also write a configuration for `run` and `plan` that leads here.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) write_config: Option<PathBuf>,
    /// The first line of standard output is one JSON document on one line: `{"endpoint_url", "clock", "env", "config"}`.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(options: &SimAwsOptions) -> Result<Reply, Failure> {
    let scenario = scenario::by_name(&options.scenario).map_err(|error| Failure::Input(error.to_string()))?;
    runtime::start()?.block_on(serve(options, &scenario))
}

async fn serve(options: &SimAwsOptions, scenario: &Scenario) -> Result<Reply, Failure> {
    let mut stops = Stops::listen()?;
    let clock = SimClock::new(epoch(), options.speed);
    let time = SimTime { epoch: epoch(), speed: options.speed, since: SystemClock.now() };
    let world = Arc::new(World::new(scenario.setup.clone(), options.seed, clock));
    let bound = Bound::new(Arc::clone(&world), ZONE, RECORD);
    let started = AwsSim::start_with(Settings::default(), options.port, bound).await;
    let aws = started.map_err(|error| Failure::Input(format!("port {}: {error}", options.port)))?;
    let (setup, release) = (&scenario.setup, &scenario.release);
    aws.put_platform(setup.weights, release.blue.as_str(), setup.tasks).map_err(Failure::World)?;
    for fault in &options.faults {
        fault.apply(&aws, options.seed);
    }
    if let Some(path) = &options.policy {
        let policy = policy_file::read(path, "policy of IAM")?;
        aws.put_policy(&policy).map_err(|error| policy_file::unusable(path, &error))?;
    }
    if let Some(path) = &options.write_config {
        write(path, &config::leading_to(&aws.endpoint_url()))?;
    }
    announce(options, scenario, &aws, time);
    stops.first().await;
    Ok(Reply::done(String::new()))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        Failure::Input(format!("cannot write the configuration {}: {error}", path.display()))
    })
}

fn announce(options: &SimAwsOptions, scenario: &Scenario, aws: &AwsSim, time: SimTime) {
    let url = aws.endpoint_url();
    if options.json {
        let env: serde_json::Map<String, Value> =
            environment(&url).map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect();
        let config = options.write_config.as_deref().map(Path::to_string_lossy);
        let document =
            json!({ "endpoint_url": url, "clock": time.to_string(), "env": env, "config": config });
        return crate::say_line(&document.to_string());
    }
    let mut lines = vec![format!("# {} {}", scenario.name, scenario.description)];
    lines.extend(environment(&url).map(|(name, value)| format!("export {name}={value}")));
    let config = options.write_config.as_deref().unwrap_or(Path::new("FILE.toml")).display();
    let clock = if time.speed == 1 { String::new() } else { format!(" --clock {time}") };
    lines.push(format!("# mpac-deploy run --config {config} --revision {}{clock}", scenario.release.green));
    crate::say_line(&lines.join("\n"));
}

/// What a client of AWS needs in its environment.
fn environment(url: &str) -> [(&'static str, String); 4] {
    let [key, secret, region] = KEY.map(|(name, value)| (name, value.to_owned()));
    [("AWS_ENDPOINT_URL", url.to_owned()), key, secret, region]
}

/// Credentials for the simulated AWS, for a client inside this process.
pub(crate) fn credentials() -> SharedCredentialsProvider {
    let [(_, key), (_, secret), _] = KEY;
    SharedCredentialsProvider::new(Credentials::new(key, secret, None, None, "sim-aws"))
}
