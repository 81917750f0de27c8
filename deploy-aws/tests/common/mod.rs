//! What the tests of several adapters share.

#![allow(dead_code, reason = "no test target uses all of it")]

pub(crate) mod bridge;

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use mpac_deploy_aws::client::{ClientOptions, sdk_config};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{EffectId, RolloutId};
use mpac_deploy_core::units::Weights;

/// Credentials as a test has them, and impatient limits, for any endpoint.
pub(crate) async fn sdk_at(url: &str) -> SdkConfig {
    let options = ClientOptions::default()
        .with_region("eu-central-1")
        .with_endpoint_url(url)
        .with_timeouts(Duration::from_secs(2), Duration::from_secs(2));
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    sdk_config(&options)
        .await
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

pub(crate) fn effect(number: u64) -> EffectId {
    EffectId { rollout: RolloutId::from("svc-portal-v2.1.0"), number }
}

pub(crate) fn weights(blue: u8, green: u8) -> Weights {
    Weights::new(blue, green).unwrap()
}

pub(crate) const fn observed(blue: u8, green: u8) -> ObservedWeights {
    ObservedWeights { blue, green }
}

/// A moto server of our own, which ends with the test.
pub(crate) struct Moto {
    process: Child,
    pub(crate) url: String,
}

impl Moto {
    pub(crate) async fn start() -> Self {
        // The port is free again once the listener is gone.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new("python3");
        command.args(["-m", "moto.server", "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moto = Self { process, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        moto
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Runs a script with a boto3 client of this service, `client`, for the endpoint in the first argument, and gives the lines that it
/// prints.
pub(crate) async fn python(service: &str, script: &str, arguments: &[&str]) -> Vec<String> {
    let head = format!(
        "import sys, boto3\nclient = boto3.client('{service}', endpoint_url=sys.argv[1], region_name='us-east-1',\n    aws_access_key_id='AKIDEXAMPLE', aws_secret_access_key='not-a-secret')\n"
    );
    let mut python = Command::new("python3");
    python.arg("-c").arg(head + script).args(arguments);
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
