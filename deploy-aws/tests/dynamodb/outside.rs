//! Witnesses from outside: the journal on an independent DynamoDB, and another client on the simulated one.
//!
//! `cargo xtask test` installs both: dynalite of `xtask/node`, boto3 of `xtask/python-requirements.txt`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use mpac_deploy_aws::{DynamoConfig, DynamoJournal, HistoryQuery};
use mpac_deploy_core::port::{Inbox, Journal, JournalError};
use mpac_deploy_testkit::conformance::{self, InboxFixture, JournalFixture};

use crate::race;
use crate::records::{TTL, record, records, rollout};
use crate::rig::{TABLE, rig, sdk_at};

/// A dynalite of our own, which ends with the test.
struct Dynalite {
    process: Child,
    url: String,
}

impl Dynalite {
    /// `None`, with a word on it, where it is not installed.
    async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("DYNALITE").map(PathBuf::from) else {
            eprintln!(
                "skipped: DYNALITE does not name the program; `cargo xtask test` installs it where Node is"
            );
            return None;
        };
        // The port is free again once the listener is gone.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--createTableMs", "50"]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let dynalite = Self { process, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "dynalite does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Some(dynalite)
    }

    async fn sdk(&self) -> SdkConfig {
        sdk_at(&self.url).await
    }
}

impl Drop for Dynalite {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

struct OnDynalite(DynamoJournal);

#[async_trait]
impl JournalFixture for OnDynalite {
    fn journal(&self) -> &dyn Journal {
        &self.0
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[async_trait]
impl InboxFixture for OnDynalite {
    fn inbox(&self) -> &dyn Inbox {
        &self.0
    }
}

/// A journal in a table of its own.
async fn fresh(sdk: &SdkConfig, number: &std::sync::atomic::AtomicU32) -> OnDynalite {
    let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let journal = DynamoJournal::new(sdk, DynamoConfig::new(format!("journal-{number}")));
    journal.create_table().await.unwrap();
    OnDynalite(journal)
}

#[tokio::test]
#[ignore = "needs dynalite of xtask/node: run `cargo xtask test`"]
async fn the_contracts_are_kept_on_dynalite() {
    let Some(dynalite) = Dynalite::start().await else { return };
    let (sdk, number) = (dynalite.sdk().await, std::sync::atomic::AtomicU32::new(0));
    let report = conformance::journal(|| fresh(&sdk, &number)).await;
    assert!(report.is_ok() && !report.cases.is_empty(), "{report}");
    let report = conformance::inbox(|| fresh(&sdk, &number)).await;
    assert!(report.is_ok() && !report.cases.is_empty(), "{report}");
}

#[tokio::test]
#[ignore = "needs dynalite of xtask/node: run `cargo xtask test`"]
async fn a_long_rollout_a_large_append_and_a_takeover_go_well_on_dynalite() {
    let Some(dynalite) = Dynalite::start().await else { return };
    let (sdk, number) = (dynalite.sdk().await, std::sync::atomic::AtomicU32::new(0));
    let first = fresh(&sdk, &number).await.0;
    let second = DynamoJournal::new(&sdk, DynamoConfig::new("journal-0"));
    let records = records(1000, 1000);
    let lease = first.acquire(&record(), "first", TTL).await.unwrap();
    for stored in 0..40 {
        first.append(&lease, &rollout(), stored as u64, &records[stored..=stored]).await.unwrap();
    }
    let taken = second.acquire(&record(), "second", 100 * TTL).await.unwrap();
    assert_eq!(first.append(&lease, &rollout(), 40, &records[40..]).await, Err(JournalError::LeaseLost));
    second.append(&taken, &rollout(), 40, &records[40..]).await.unwrap();
    assert_eq!(first.load(&rollout(), 0).await, Ok(records));
    assert_eq!(first.history(&HistoryQuery::of("svc-portal")).await.unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs dynalite of xtask/node: run `cargo xtask test`"]
async fn one_controller_acts_on_dynalite() {
    let Some(dynalite) = Dynalite::start().await else { return };
    let sdk = dynalite.sdk().await;
    for seed in 1..=3 {
        let table = format!("race-{seed}");
        DynamoJournal::new(&sdk, DynamoConfig::new(&table)).create_table().await.unwrap();
        race::run(&sdk, &table, seed, 4, Duration::from_secs(4)).await;
    }
}

/// Makes an item past the journal, reads the history and a rollout's records, and is refused where it should be.
const BOTO3: &str = r##"
import sys, json, boto3
from boto3.dynamodb.conditions import Key, Attr
table = boto3.resource("dynamodb", endpoint_url=sys.argv[1], region_name="eu-central-1",
                       aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret").Table(sys.argv[2])
print(table.table_status, [key["AttributeName"] for key in table.key_schema])
for line in table.query(KeyConditionExpression=Key("pk").eq("rollouts") & Key("sk").begins_with("svc-portal#"))["Items"]:
    print(line["rollout"], line["record"], line["stored"])
batches = table.query(KeyConditionExpression=Key("pk").eq("rollout#" + sys.argv[3]) & Key("sk").begins_with("records#"))["Items"]
head = table.get_item(Key={"pk": "record#api.mpac-cloud.com", "sk": "head"}, ConsistentRead=True)["Item"]
texts = [text for batch in batches for text in batch["records"]] + head["records"]
print([json.loads(text)["number"] for text in texts] == list(range(1, int(head["version"]) + 1)), head["holder"], head["fence"])
try:
    table.put_item(Item={"pk": "record#api.mpac-cloud.com", "sk": "head", "fence": 0}, ConditionExpression=Attr("fence").lt(1))
except table.meta.client.exceptions.ConditionalCheckFailedException as error:
    print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
"##;

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_reads_what_the_journal_has_written() {
    let rig = rig().await;
    let lease = rig.journal.acquire(&record(), "first", TTL).await.unwrap();
    for (stored, one) in (0..).zip(&records(50, 300)) {
        rig.journal.append(&lease, &rollout(), stored, std::slice::from_ref(one)).await.unwrap();
    }
    let mut python = Command::new("python3");
    python.args(["-c", BOTO3, &rig.aws.endpoint_url(), TABLE, rollout().as_str()]);
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = [
        "ACTIVE ['pk', 'sk']",
        "svc-portal-v2.1.0 api.mpac-cloud.com True",
        "True first 1",
        "ConditionalCheckFailedException 400",
    ];
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), expected);
}
