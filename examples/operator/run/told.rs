//! Who is told of a rollout's decisions besides whoever looks at standard error.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_aws::SnsNotify;
use mpac_deploy_core::decision::Severity;
use mpac_deploy_core::driver::{AtLeast, Notifiers, Outbox, OutboxLimits};
use mpac_deploy_core::port::Notify;
use mpac_deploy_services::notify::Webhook;

use crate::aws::Account;
use crate::reply::Failure;

/// How long a rollout that has ended waits for whoever has not yet been told of it.
const LAST_NOTICES: Duration = Duration::from_secs(15);

/// Everybody who is told, each behind a queue that no rollout waits for.
pub(super) struct Told {
    outboxes: Vec<Arc<Outbox>>,
    notify: Arc<dyn Notify>,
}

impl Told {
    /// Those of the configuration, and `shown`. What it names and the environment lacks is refused here, before anything begins.
    pub(super) fn of(account: &Account, shown: Arc<dyn Notify>) -> Result<Self, Failure> {
        let config = &account.config.notify;
        let mut outboxes = Vec::new();
        let mut all = vec![shown];
        let mut add = |to: Arc<dyn Notify>, at_least: Severity| {
            let outbox = Arc::new(Outbox::new(to, Arc::clone(&account.clock), OutboxLimits::default()));
            let postman = Arc::clone(&outbox);
            tokio::spawn(async move { postman.deliver().await });
            all.push(Arc::new(AtLeast::new(at_least, Arc::clone(&outbox) as _)));
            outboxes.push(outbox);
        };
        for (number, webhook) in config.webhooks.iter().enumerate() {
            let place = format!("notify.webhooks[{number}]");
            let url = variable(&place, "url_env", &webhook.url_env)?;
            let secret = variable(&place, "secret_env", &webhook.secret_env)?;
            let to =
                Webhook::new(&url, &secret).map_err(|error| Failure::Input(format!("{place}: {error}")))?;
            add(Arc::new(to), webhook.at_least);
        }
        for (number, topic) in config.topics.iter().enumerate() {
            let to = SnsNotify::new(&account.sdk, &topic.arn)
                .map_err(|error| Failure::Input(format!("notify.topics[{number}].arn: {error}")))?;
            add(Arc::new(to), topic.at_least);
        }
        Ok(Self { outboxes, notify: Arc::new(Notifiers::new(all)) })
    }

    pub(super) fn notify(&self) -> Arc<dyn Notify> {
        Arc::clone(&self.notify)
    }

    /// Waits a while for those who have not been told of everything; how many notices never were, if any.
    pub(super) async fn finish(&self) -> Option<String> {
        let finished = self.outboxes.iter().map(|outbox| outbox.finish(LAST_NOTICES));
        let waiting: usize = futures::future::join_all(finished).await.into_iter().sum();
        let dropped: u64 = self.outboxes.iter().map(|outbox| outbox.dropped()).sum();
        let untold = dropped.saturating_add(u64::try_from(waiting).unwrap_or(u64::MAX));
        (untold > 0).then(|| {
            format!("{untold} notices reached nobody; the journal has every decision: `mpac-deploy history`")
        })
    }
}

fn variable(place: &str, field: &str, name: &str) -> Result<String, Failure> {
    env::var(name).map_err(|_| {
        Failure::Input(format!(
            "{place}.{field}: the variable `{name}` is not set, or is no text: set it, or take the entry out"
        ))
    })
}
