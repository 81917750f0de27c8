//! Weights as the target groups of one listener rule of an application load balancer.
//!
//! What is asked of the rule, what a change costs and what can go wrong is in the book's chapter on AWS.

mod calls;
mod error;
mod rule;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use mpac_deploy_core::effect::{Direction, ObservedWeights};
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_core::units::Weights;
use tokio::time::Instant;

pub use error::{AlbError, RuleError};

use crate::Quota;
use crate::finding::{Finding, Severity};
use crate::memory::{Memory, Standing};
use crate::quota::Pace;
use calls::Calls;
use rule::Split;

/// As long as the TTL of an alias record, which the strategy lives with.
const STICKINESS_LIMIT: Duration = Duration::from_secs(60);

/// A reading may be of the time before the change for a few seconds, as with every AWS API. What shows the weights from before for
/// longer than this was set back by somebody.
const VISIBLE_WITHIN: Duration = Duration::from_secs(30);

/// Which rule is moved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlbConfig {
    /// The ARN of the rule; not the listener's default rule.
    pub rule_arn: String,
    /// The name under which the rollout knows this traffic: the DNS name that clients use.
    pub record: RecordName,
    /// The ARN of blue's target group.
    pub blue_group: String,
    /// The ARN of green's target group.
    pub green_group: String,
    /// How old the copy of the rule may be from which a rollback is made without reading first. The rollout reads it every minute;
    /// [`Duration::ZERO`] makes every rollback read first.
    pub rollback_from_copy: Duration,
    /// For how long the rule may keep a client at one target group. Nothing moves towards green under a longer stickiness.
    pub stickiness_up_to: Duration,
}

impl AlbConfig {
    /// A copy of up to 2 min for rollbacks, and a stickiness of up to 60 s.
    #[must_use]
    pub fn new(
        rule_arn: impl Into<String>,
        record: RecordName,
        blue_group: impl Into<String>,
        green_group: impl Into<String>,
    ) -> Self {
        Self {
            rule_arn: rule_arn.into(),
            record,
            blue_group: blue_group.into(),
            green_group: green_group.into(),
            rollback_from_copy: Duration::from_secs(120),
            stickiness_up_to: STICKINESS_LIMIT,
        }
    }

    /// The same rule with another limit for its stickiness. The policy's `effects.ttl` should be as long.
    #[must_use]
    pub const fn with_stickiness_up_to(mut self, limit: Duration) -> Self {
        self.stickiness_up_to = limit;
        self
    }
}

/// The weights of the two target groups of one listener rule.
///
/// Besides the contract of [`Traffic`]:
/// - The weights are the same numbers as in Route 53, 0 to 255, of the 0 to 999 that a rule could have: what is read back is what was
///   set, and a policy works with either.
/// - The actions of the rule are written whole, as they were read: other actions, their order and the stickiness. Conditions and
///   priority are not named in the change, and so stay. The client secret of an `authenticate-oidc` action, which AWS never shows,
///   is kept by AWS.
/// - AWS has no conditional write here and takes no token, and a rule's tags are no part of its change: the fencing token is checked in
///   this process only, and the lease alone keeps other processes away.
/// - There is no state of a change to ask for: a change is in effect within seconds. `confirm` reads the rule back.
/// - A group stickiness above [`AlbConfig::stickiness_up_to`] refuses changes towards green. A rollback goes ahead.
#[derive(Debug)]
pub struct AlbTraffic {
    config: AlbConfig,
    calls: Calls,
    memory: Mutex<Memory<Made, Split>>,
}

/// A change that was taken.
#[derive(Clone, Copy, Debug)]
struct Made {
    at: Instant,
    before: ObservedWeights,
    after: ObservedWeights,
    is_seen: bool,
}

impl AlbTraffic {
    /// An adapter for one rule. Retries of the SDK are switched off, whatever `sdk` says; its time limits count.
    #[must_use]
    pub fn new(sdk: &SdkConfig, quota: &Quota, config: AlbConfig) -> Self {
        let calls = Calls::new(sdk, quota.clone(), &config.rule_arn);
        Self { config, calls, memory: Mutex::default() }
    }

    /// Both weights, or by its type what is wrong with the rule.
    ///
    /// # Errors
    /// [`AlbError`].
    pub async fn weights(&self) -> Result<ObservedWeights, AlbError> {
        Ok(self.split(Pace::Queue).await?.weights)
    }

    /// For how long the rule keeps a client at the target group that it came to first; `None` if it does not.
    ///
    /// # Errors
    /// [`AlbError`].
    pub async fn stickiness(&self) -> Result<Option<Duration>, AlbError> {
        Ok(self.split(Pace::Queue).await?.sticky)
    }

    /// What the rule does with clients that the weights do not say.
    ///
    /// # Errors
    /// [`AlbError`].
    pub async fn traps(&self) -> Result<Vec<Finding>, AlbError> {
        let limit = self.config.stickiness_up_to;
        let finding = |sticky: Duration| Finding {
            id: "sticky-groups",
            severity: if sticky > limit { Severity::Error } else { Severity::Warning },
            line: None,
            place: self.config.rule_arn.clone(),
            problem: format!(
                "the rule keeps each client at its target group for {} s: the weights move new clients only, and after a rollback the others stay with green for as long",
                sticky.as_secs()
            ),
            fix: "switch the group stickiness of the rule off, or make it short and the policy's `effects.ttl` as long",
        };
        Ok(self.stickiness().await?.map(finding).into_iter().collect())
    }

    /// Sets both weights; see [`Traffic::set`].
    ///
    /// # Errors
    /// [`AlbError`]; after [`CallError::NoAnswer`](crate::CallError::NoAnswer) the outcome is unknown, and the same call may be made again.
    pub async fn set_weights(
        &self,
        id: &EffectId,
        fence: FencingToken,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), AlbError> {
        let (known, before) = {
            let mut memory = self.memory();
            memory.admit(fence)?;
            (memory.was_made(id, weights.into()), memory.before(id))
        };
        if known {
            return Ok(());
        }
        let split = self.split_to_change(direction).await?;
        if direction == Direction::Forward {
            self.check_forward(&split, weights, before)?;
        }
        let wanted = split.with(&self.config, weights);
        self.calls.quota.turn(Pace::of(direction)).await;
        {
            let mut memory = self.memory();
            // While this call waited for its turn, a later holder may have acted.
            memory.admit(fence)?;
            memory.attempted(id, split.weights);
        }
        match self.calls.modify(wanted.actions.clone()).await {
            Ok(()) => {
                let (before, after) = (split.weights, wanted.weights);
                let made = Made { at: Instant::now(), before, after, is_seen: false };
                self.memory().made(id, after, made, wanted);
                Ok(())
            }
            Err(error) => {
                if error.did_nothing() {
                    self.memory().did_nothing(id, before);
                }
                Err(error)
            }
        }
    }

    /// Whether a change is in effect: whether the rule shows it. See [`Traffic::confirm`].
    ///
    /// # Errors
    /// [`AlbError`].
    pub async fn is_in_effect(&self, id: &EffectId) -> Result<bool, AlbError> {
        let standing = self.memory().standing(id);
        match standing {
            Standing::Made(made) if made.is_seen => Ok(true),
            Standing::Made(made) => {
                let found = self.split(Pace::Queue).await?.weights;
                // Other weights than those from before were set after the change, by whomever: the rollout sees that by itself.
                let is_seen =
                    found == made.after || found != made.before || made.at.elapsed() > VISIBLE_WITHIN;
                if is_seen {
                    self.memory().change(id, |made| made.is_seen = true);
                }
                Ok(is_seen)
            }
            Standing::NotMade => Err(AlbError::UnknownChange(id.clone())),
            // What was taken before this process began is in effect by now, as far as the rule can be read at all.
            Standing::BeforeOurTime => {
                self.split(Pace::Queue).await?;
                Ok(true)
            }
        }
    }

    /// What a rollback need not care for.
    fn check_forward(
        &self,
        split: &Split,
        wanted: Weights,
        before: Option<ObservedWeights>,
    ) -> Result<(), RuleError> {
        let (rule, found, limit) =
            (self.config.rule_arn.clone(), split.weights, self.config.stickiness_up_to);
        if let Some(sticky) = split.sticky.filter(|sticky| *sticky > limit) {
            return Err(RuleError::Sticky { rule, sticky, limit });
        }
        match before {
            // After an unknown outcome the weights are those from before or the wanted ones, unless somebody else came in between.
            Some(before) if found != before && !found.is(wanted) => {
                Err(RuleError::SomebodyElse { rule, before, wanted: wanted.into(), found })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The rule that a change starts from. A rollback does not wait for a reading if there is a fresh copy, and does not fail for want
    /// of one if there is any.
    async fn split_to_change(&self, direction: Direction) -> Result<Split, AlbError> {
        match direction {
            Direction::Forward => self.split(Pace::Queue).await,
            Direction::Back => {
                if let Some(copy) = self.memory().copy(self.config.rollback_from_copy) {
                    return Ok(copy);
                }
                let read = self.split(Pace::GoPast).await;
                match (read, self.memory().copy(Duration::MAX)) {
                    (Err(error @ AlbError::Call(_)), Some(copy)) => {
                        tracing::warn!(%error, rule = %self.config.rule_arn, "rule not read: rolled back from a copy");
                        Ok(copy)
                    }
                    (read, _) => read,
                }
            }
        }
    }

    async fn split(&self, pace: Pace) -> Result<Split, AlbError> {
        let rule = self.calls.rule(pace).await?;
        let split = Split::of(&self.config, &rule)?;
        self.memory().keep(split.clone());
        Ok(split)
    }

    fn check_record(&self, asked: &RecordName) -> Result<(), AlbError> {
        let bare = |name: &RecordName| name.as_str().trim_end_matches('.').to_ascii_lowercase();
        if bare(asked) == bare(&self.config.record) {
            return Ok(());
        }
        Err(AlbError::OtherRecord { ours: self.config.record.clone(), asked: asked.clone() })
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Made, Split>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Traffic for AlbTraffic {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        self.check_record(record)?;
        Ok(self.weights().await?)
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        self.check_record(record)?;
        Ok(self.set_weights(id, fence, weights, direction).await?)
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        Ok(self.is_in_effect(change).await?)
    }
}
