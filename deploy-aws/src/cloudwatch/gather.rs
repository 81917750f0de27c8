//! The questions of every rollout of the process, gathered.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::{Builder, Region};
use mpac_deploy_core::time::Period;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::call::{self, Answers};
use super::pack::{Planned, Question, pack};
use super::query::{Outcome, Query};
use crate::client::DEFAULT_REGION;
use crate::{CallError, Quota};

/// How long the first question waits for others (ours). Rollouts ask when a minute has settled, all at the same moment: what is spread
/// further is the work of waking them. It is nothing beside the minute that they have waited.
pub const DEFAULT_WINDOW: Duration = Duration::from_millis(200);

/// How long a query that CloudWatch has refused is not asked again (ours): long enough that it costs nothing, and short enough that one
/// who has put things right sees it.
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// The codes with which CloudWatch refuses a call because of one of its queries.
const REFUSALS: [&str; 7] = [
    "ValidationError",
    "ValidationException",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "InvalidParameterCombination",
    "InvalidParameterCombinationException",
    "MissingParameter",
];

/// What all of CloudWatch's metrics of an account and region are asked through. A clone is the same: hand one to every
/// [`CloudWatchMetrics`](super::CloudWatchMetrics) of the process, and their questions share calls.
#[derive(Clone, Debug)]
pub struct CloudWatch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: Client,
    quota: Quota,
    window: Duration,
    queue: Mutex<Queue>,
    /// Until when each refused query is not asked.
    refused: Mutex<HashMap<Query, Instant>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether somebody will take the waiting ones along.
    is_gathering: bool,
}

/// A question and where its answer goes.
#[derive(Debug)]
struct Waiting {
    queries: Vec<Query>,
    period: Period,
    reply: oneshot::Sender<Result<HashMap<Query, Outcome>, CallError>>,
}

impl CloudWatch {
    /// With the usual window of [`DEFAULT_WINDOW`]. Retries of the SDK are switched off, whatever `sdk` says; its time limits count.
    #[must_use]
    pub fn new(sdk: &SdkConfig, quota: &Quota) -> Self {
        Self::with_window(sdk, quota, DEFAULT_WINDOW)
    }

    /// With another time that the first question waits for others. Where time runs faster, as in a simulated world, it has to be
    /// shorter.
    #[must_use]
    pub fn with_window(sdk: &SdkConfig, quota: &Quota, window: Duration) -> Self {
        let mut builder = Builder::from(sdk).retry_config(RetryConfig::disabled());
        if sdk.region().is_none() {
            builder = builder.region(Region::from_static(DEFAULT_REGION));
        }
        Self(Arc::new(Shared {
            client: Client::from_conf(builder.build()),
            quota: quota.clone(),
            window,
            queue: Mutex::default(),
            refused: Mutex::default(),
        }))
    }

    /// What these queries come to in a period.
    pub(super) async fn ask(
        &self,
        queries: Vec<Query>,
        period: Period,
    ) -> Result<HashMap<Query, Outcome>, CallError> {
        if queries.is_empty() {
            return Ok(HashMap::new());
        }
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut queue = self.queue();
            queue.waiting.push(Waiting { queries, period, reply });
            !mem::replace(&mut queue.is_gathering, true)
        };
        if is_first {
            // A task of its own: whoever asked first may go away, and the others still get their answers.
            tokio::spawn(Gathering(Some(self.clone())).run());
        }
        answer.await.unwrap_or_else(|_| Err(no_answer("whoever gathers the questions is gone")))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<Query, Instant>> {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_refused(&self, query: &Query) -> bool {
        self.refused().get(query).is_some_and(|until| Instant::now() < *until)
    }

    /// Makes the calls, and answers each question as soon as all of its calls are there.
    async fn answer(&self, mut waiting: Vec<Waiting>) {
        waiting.retain(|waiting| !waiting.reply.is_closed());
        let asked: Vec<Vec<Query>> = waiting.iter().map(|waiting| self.admitted(&waiting.queries)).collect();
        let questions: Vec<Question<'_>> = asked
            .iter()
            .zip(&waiting)
            .map(|(queries, waiting)| Question { queries, period: waiting.period })
            .collect();
        let packed = pack(&questions);
        tracing::debug!(questions = questions.len(), calls = packed.calls.len(), "asking CloudWatch");
        let mut open: Vec<(Waiting, Vec<usize>)> = waiting.into_iter().zip(packed.answered_by).collect();
        let mut answers: HashMap<usize, Result<Answers, CallError>> = HashMap::new();
        let mut calls = JoinSet::new();
        for (number, planned) in packed.calls.into_iter().enumerate() {
            let cloudwatch = self.clone();
            calls.spawn(async move { (number, cloudwatch.call(planned).await) });
        }
        loop {
            let is_answered = |needed: &Vec<usize>| needed.iter().all(|call| answers.contains_key(call));
            let (done, rest): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|(_, needed)| is_answered(needed));
            open = rest;
            done.into_iter().for_each(|(waiting, needed)| waiting.answer(&needed, &answers));
            match calls.join_next().await {
                None => return,
                Some(Ok((number, answer))) => drop(answers.insert(number, answer)),
                // A call that was torn down leaves its questions to the end of this function, where they hear that nobody answers.
                Some(Err(error)) => tracing::error!(%error, "a call of CloudWatch was torn down"),
            }
        }
    }

    /// The queries that CloudWatch has not refused lately.
    fn admitted(&self, queries: &[Query]) -> Vec<Query> {
        queries.iter().filter(|query| !self.is_refused(query)).cloned().collect()
    }

    /// A call. If CloudWatch refuses it because of one query, the others are asked without that one.
    async fn call(&self, planned: Planned) -> Result<Answers, CallError> {
        let (mut answers, mut left) = (Answers::default(), vec![planned]);
        while let Some(planned) = left.pop() {
            match call::ask(&self.0.client, &self.0.quota, &planned).await {
                Ok(found) => answers.extend(found),
                Err(CallError::Refused { code, message, .. }) if REFUSALS.contains(&code.as_str()) => {
                    let [half, other] = halves(planned);
                    match (half.queries.as_slice(), other.queries.is_empty()) {
                        ([query], true) => {
                            tracing::error!(%query, code, message, "CloudWatch refuses a query");
                            self.refused().insert(query.clone(), Instant::now() + REFUSED_FOR);
                            answers.fail(query.clone());
                        }
                        (_, _) => left.extend([half, other]),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }
}

/// The same call in two; the second one is empty if there is only one query.
fn halves(mut planned: Planned) -> [Planned; 2] {
    let rest = planned.queries.split_off(planned.queries.len().div_ceil(2));
    let other = Planned { queries: rest, ..planned };
    [planned, other]
}

impl Waiting {
    fn answer(self, calls: &[usize], answers: &HashMap<usize, Result<Answers, CallError>>) {
        let of_calls = || calls.iter().filter_map(|call| answers.get(call));
        let reply = match of_calls().find_map(|answer| answer.as_ref().err()) {
            Some(error) => Err(error.clone()),
            None => {
                let found = || of_calls().filter_map(|answer| answer.as_ref().ok());
                // Each of its calls spans its period, so any of them can tell. A query in none of them was refused before.
                let outcome = |query: &Query| {
                    found().find_map(|answers| answers.outcome(query, self.period)).unwrap_or(Outcome::Failed)
                };
                let outcomes: Vec<Outcome> = self.queries.iter().map(outcome).collect();
                Ok(self.queries.into_iter().zip(outcomes).collect())
            }
        };
        // Whoever asked may have gone away meanwhile.
        drop(self.reply.send(reply));
    }
}

/// The task that waits for further questions and then asks them all. It holds the gatherer until it has taken them along.
struct Gathering(Option<CloudWatch>);

impl Gathering {
    async fn run(mut self) {
        let Some(cloudwatch) = self.0.clone() else { return };
        tokio::time::sleep(cloudwatch.0.window).await;
        let waiting = {
            let mut queue = cloudwatch.queue();
            queue.is_gathering = false;
            mem::take(&mut queue.waiting)
        };
        self.0 = None;
        cloudwatch.answer(waiting).await;
    }
}

impl Drop for Gathering {
    /// Its runtime has ended before it could ask: the questions hear of it, and the next one starts anew.
    fn drop(&mut self) {
        let Some(cloudwatch) = &self.0 else { return };
        let mut queue = cloudwatch.queue();
        queue.is_gathering = false;
        queue.waiting.clear();
    }
}

fn no_answer(message: &str) -> CallError {
    CallError::NoAnswer { call: "GetMetricData", message: message.into() }
}
