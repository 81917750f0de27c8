//! What a driver tells its observers: the stable names of spans, events and metrics, and what the numbers say.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::scenario;
use mpac_deploy_testkit::sim::{self, SimReport};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The page on which all names stand.
const PAGE: &str = include_str!("../../deploy-core/src/driver/mod.rs");

/// Where something goes wrong with the store, the notifier, the calls and the metrics.
const TROUBLED: [&str; 5] =
    ["store-down", "notifier-hangs", "throttled-route53", "error-spike-over", "metrics-late"];

fn run(name: &str) -> SimReport {
    watcher();
    sim::run(&scenario::by_name(name).unwrap(), &mpac(), 1).unwrap()
}

/// The cells of the rows of the page's tables that begin so, without their backticks.
fn rows(start: &str) -> Vec<Vec<String>> {
    let rows =
        PAGE.lines().filter_map(|line| line.strip_prefix("//! | ")).filter(|row| row.starts_with(start));
    let cells = |row: &str| row.split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect();
    rows.map(cells).collect()
}

fn words(cell: &str) -> BTreeSet<String> {
    cell.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// A span or an event as it was seen: what it is, how grave, with which fields.
type Seen = (String, String, BTreeSet<String>);

#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<BTreeSet<Seen>>>);

/// The one watcher of this process, there before the first rollout: a span or an event that is met while nobody
/// watches is held to be of no interest to anyone, by all threads.
fn watcher() -> &'static Watcher {
    static WATCHER: OnceLock<Watcher> = OnceLock::new();
    WATCHER.get_or_init(|| {
        let watcher = Watcher::default();
        let subscriber = tracing_subscriber::registry().with(watcher.clone());
        tracing::subscriber::set_global_default(subscriber).unwrap();
        watcher
    })
}

#[derive(Default)]
struct Fields {
    names: BTreeSet<String>,
    message: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.names.insert(field.name().into());
        }
    }
}

impl<S: Subscriber> Layer<S> for Watcher {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        let seen =
            (format!("span {}", metadata.name()), metadata.level().to_string().to_lowercase(), fields.names);
        self.0.lock().unwrap().insert(seen);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().to_string().to_lowercase();
        self.0.lock().unwrap().insert((format!("event {}", fields.message), level, fields.names));
    }
}

#[test]
fn spans_and_events_have_the_names_and_fields_that_the_page_lists() {
    TROUBLED.into_iter().for_each(|name| drop(run(name)));
    let listed: BTreeSet<Seen> = rows("span `")
        .into_iter()
        .chain(rows("event `"))
        .map(|row| (row[0].trim_end_matches(" in it").to_owned(), row[1].clone(), words(&row[2])))
        .collect();
    let seen = watcher().0.lock().unwrap().clone();
    let unlisted: Vec<_> = seen.difference(&listed).collect();
    assert!(unlisted.is_empty(), "not as the page says: {unlisted:?}");
    let names: BTreeSet<&str> = seen.iter().map(|(name, ..)| name.as_str()).collect();
    for name in [
        "span effect",
        "event done",
        "event failed",
        "event decision",
        "event journal unavailable",
        "event notice dropped",
    ] {
        assert!(names.contains(name), "{name} was not seen in {names:?}");
    }
    assert!(listed.len() >= 14, "the page's table was not found: {listed:?}");
}

/// By the name of a metric, its values, each with those of its labels.
type Values = BTreeMap<String, Vec<(String, DebugValue)>>;

/// Each metric that was recorded, and by its name the names of its labels.
fn recorded(name: &str) -> (Values, BTreeMap<String, BTreeSet<String>>) {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || run(name));
    let (mut values, mut labels) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let key = key.key();
        let names: BTreeSet<String> = key.labels().map(|label| label.key().to_owned()).collect();
        let text: Vec<&str> = key.labels().map(metrics::Label::value).collect();
        values.entry(key.name().to_owned()).or_default().push((text.join(" "), value));
        labels.insert(key.name().to_owned(), names);
    }
    (values, labels)
}

#[test]
fn metrics_have_the_names_and_labels_that_the_page_lists() {
    let listed: BTreeMap<String, BTreeSet<String>> =
        rows("`mpac_deploy_").into_iter().map(|row| (row[0].clone(), words(&row[2]))).collect();
    let mut seen = BTreeMap::new();
    for name in TROUBLED {
        seen.extend(recorded(name).1);
    }
    assert_eq!(seen, listed);
}

#[test]
fn the_numbers_are_those_of_the_rollout() {
    let (values, _) = recorded("error-spike-over");
    let of = |metric: &str, ends: &str| {
        let found = values[metric].iter().find(|(labels, _)| labels.ends_with(ends));
        &found.unwrap_or_else(|| panic!("no {metric} {ends}: {:?}", values[metric])).1
    };
    let gauge = |value: f64| DebugValue::Gauge(value.into());
    assert_eq!(of("mpac_deploy_phase", " rolled-back"), &gauge(1.0));
    assert_eq!(of("mpac_deploy_phase", " baking"), &gauge(0.0));
    assert_eq!(of("mpac_deploy_weight", " blue"), &gauge(100.0));
    assert_eq!(of("mpac_deploy_weight", " green"), &gauge(0.0));
    assert_eq!(of("mpac_deploy_stage", " half"), &gauge(0.0));
    assert_eq!(of("mpac_deploy_decisions_total", "rollback error"), &DebugValue::Counter(1));
    assert_eq!(of("mpac_deploy_decisions_total", "promote info"), &DebugValue::Counter(1));
    let DebugValue::Counter(set) = *of("mpac_deploy_calls_total", "set-weights ok") else {
        panic!("no counter")
    };
    assert!(set >= 3, "canary, half and back: {set}");
    let DebugValue::Histogram(took) = of("mpac_deploy_call_seconds", "set-weights") else {
        panic!("no histogram")
    };
    assert!(
        took.iter().all(|took| (0.02..5.0).contains(&took.into_inner())),
        "a call takes 20 to 400 ms: {took:?}"
    );
    let DebugValue::Gauge(errors) = of("mpac_deploy_evidence", "green errors") else { panic!("no gauge") };
    let DebugValue::Gauge(requests) = of("mpac_deploy_evidence", "green requests") else {
        panic!("no gauge")
    };
    let rate = errors.into_inner() / requests.into_inner();
    assert!((0.02..0.04).contains(&rate), "3 % of green's requests failed in its last minute: {rate}");
}
