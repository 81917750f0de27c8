//! The only fallible door: a checked policy, with every name resolved against what the world can answer.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::rule::{BaselinePair, CountPair, GateKind, GatePlan, StagePlan, Term, Test, Watch, WatchKind};
use super::{Plan, Release, Series, SeriesId, check};
use crate::analysis::Class;
use crate::metric::{Metric, Side, Signal};
use crate::policy::{
    BaselineRule, ComparisonRule, Condition, CriticalRule, Gate, GateRule, Policy, PolicyError, Stage,
    WatchRule,
};

/// What a plan asks a recording: whether it holds rows of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Whose metric.
    pub side: Side,
    /// Which metric.
    pub metric: &'a Metric,
    /// Whether rows before the replay's start will do.
    pub with_history: bool,
}

/// Answers whether a recording holds rows of what is [`Sought`].
pub type Recorded<'a> = dyn Fn(Sought<'_>) -> bool + 'a;

impl Policy {
    /// Checks everything that does not depend on a release.
    ///
    /// # Errors
    /// [`PolicyError`] for the first thing that cannot be safe.
    pub fn check(&self) -> Result<(), PolicyError> {
        check::check(self)
    }

    /// The plan for a live rollout. Nothing is skipped: a metric that a rule needs must be among the release's
    /// metrics, or for a critical service among its probes (semantics 4).
    ///
    /// # Errors
    /// [`PolicyError`] when the policy cannot be safe, or a metric that it needs is not to be had.
    pub fn compile(&self, release: Release) -> Result<Plan, PolicyError> {
        for (index, metric) in release.metrics.iter().enumerate() {
            check::check_metric(&format!("release.metrics[{index}]"), metric)?;
        }
        for (index, service) in release.probes.iter().enumerate() {
            check::check_metric(&format!("release.probes[{index}]"), service)?;
        }
        release.migrations.check()?;
        let metrics = release.metrics.clone();
        let probes = release.probes.clone();
        let available = |sought: Sought<'_>| metrics.contains(sought.metric);
        Compiler::new(self, World { available: &available, probes: &probes, may_skip: false })
            .compile(release)
    }

    /// The plan for a replay: rules on metrics that the recording has no rows of are skipped and listed (semantics 4).
    ///
    /// # Errors
    /// [`PolicyError`] when the policy cannot be safe.
    pub fn compile_for_replay(&self, release: Release, recorded: &Recorded<'_>) -> Result<Plan, PolicyError> {
        Compiler::new(self, World { available: recorded, probes: &[], may_skip: true }).compile(release)
    }
}

/// The path of the triggers in a policy.
const TRIGGERS: &str = "triggers";

struct World<'a> {
    available: &'a Recorded<'a>,
    probes: &'a [Metric],
    may_skip: bool,
}

struct Compiler<'a> {
    policy: &'a Policy,
    world: World<'a>,
    series: Vec<Series>,
    skipped: Vec<String>,
}

/// A rule that was resolved, or the metric that it lacks.
type Resolved<T> = Result<T, Lacking>;

struct Lacking {
    side: Side,
    metric: Metric,
}

impl<'a> Compiler<'a> {
    fn new(policy: &'a Policy, world: World<'a>) -> Self {
        Self { policy, world, series: Vec::new(), skipped: Vec::new() }
    }

    fn compile(mut self, release: Release) -> Result<Plan, PolicyError> {
        self.policy.check()?;
        let green_requests = self.series_id(Side::Green, &Metric::Requests);
        let policy = self.policy;
        let triggers = policy.triggers.iter().map(|trigger| (&trigger.id, &trigger.rule));
        let triggers = self.watches(TRIGGERS, triggers)?;
        let alerts = policy.alerts.iter().map(|alert| (&alert.id, &alert.rule));
        let alerts = self.watches("alerts", alerts)?;
        let mut stages = Vec::new();
        for (index, stage) in policy.stages.iter().enumerate() {
            stages.push(self.stage(index, stage, green_requests)?);
        }
        if !self.world.may_skip {
            self.require("release.metrics", Side::Green, &Metric::Requests)?;
        }
        Ok(Plan {
            policy: policy.clone(),
            release,
            series: self.series,
            stages,
            triggers,
            alerts,
            skipped: self.skipped,
        })
    }

    fn require(&self, path: &str, side: Side, metric: &Metric) -> Result<(), PolicyError> {
        self.is_available(side, metric, true)
            .then_some(())
            .ok_or_else(|| self.lacking(path, &Lacking { side, metric: metric.clone() }))
    }

    fn lacking(&self, path: &str, lacking: &Lacking) -> PolicyError {
        let Lacking { side, metric } = lacking;
        let problem = format!(
            "needs {side}'s `{metric}`, which the release's metrics do not have: configure it, or take the rule out of the \
             policy (a live rollout skips nothing)"
        );
        PolicyError { path: path.to_string(), problem }
    }

    /// Keeps a resolved rule, notes a skipped one, or refuses the policy.
    fn keep<T>(&mut self, path: &str, id: &str, resolved: Resolved<T>) -> Result<Option<T>, PolicyError> {
        match resolved {
            Ok(rule) => Ok(Some(rule)),
            Err(_) if self.world.may_skip => {
                self.skip(id);
                Ok(None)
            }
            Err(lacking) => Err(self.lacking(path, &lacking)),
        }
    }

    fn skip(&mut self, id: &str) {
        if !self.skipped.iter().any(|skipped| skipped == id) {
            self.skipped.push(id.to_string());
        }
    }

    fn watches<'b>(
        &mut self,
        kind: &str,
        rules: impl Iterator<Item = (&'b String, &'b WatchRule)>,
    ) -> Result<Vec<Watch>, PolicyError> {
        let mut watches = Vec::new();
        for (index, (id, rule)) in rules.enumerate() {
            let path = format!("{kind}[{index}].rule");
            let kept = if let WatchRule::Critical(rule) = rule {
                self.critical(&path, kind == TRIGGERS, rule)?
            } else {
                let resolved = self.watch(rule);
                self.keep(&path, id, resolved)?
            };
            watches.extend(kept.map(|kind| Watch { id: id.clone(), kind }));
        }
        Ok(watches)
    }

    /// A critical service is skipped by itself, under the name of its metric.
    fn critical(
        &mut self,
        path: &str,
        may_probe: bool,
        rule: &CriticalRule,
    ) -> Result<Option<WatchKind>, PolicyError> {
        let (mut metrics, mut probes) = (Vec::new(), Vec::new());
        for service in &rule.services {
            // Probes are for triggers: an alert on a probed service needs its metric too.
            if may_probe && self.world.probes.contains(service) {
                probes.push(service.clone());
            } else {
                let resolved = self.find(Side::Green, service, true);
                metrics.extend(self.keep(path, service.name(), resolved)?);
            }
        }
        let empty = metrics.is_empty() && probes.is_empty();
        Ok((!empty).then_some(WatchKind::Critical { metrics, probes }))
    }

    fn watch(&mut self, rule: &WatchRule) -> Resolved<WatchKind> {
        Ok(match rule {
            WatchRule::Consecutive(rule) => WatchKind::Consecutive {
                test: self.test(&rule.when)?,
                periods: rule.periods,
                without_value: rule.without_value,
            },
            WatchRule::Period(when) => WatchKind::Period(self.test(when)?),
            WatchRule::MOfN(rule) => WatchKind::MOfN { test: self.test(&rule.when)?, m: rule.m, n: rule.n },
            WatchRule::Ratio(rule) => WatchKind::Ratio { test: self.test(&rule.when)?, window: rule.window },
            WatchRule::Trend(rule) => WatchKind::Trend {
                term: self.term(Side::Green, &rule.of.signal, true)?,
                rise: rule.of.rise.value(),
                fit: rule.of.fit.value(),
                window: rule.window,
            },
            WatchRule::Comparison(rule) => {
                WatchKind::Comparison { pair: self.pair(&rule.of)?, window: rule.window }
            }
            WatchRule::Critical(rule) => {
                let metrics = rule.services.iter().map(|service| self.find(Side::Green, service, true));
                WatchKind::Critical { metrics: metrics.collect::<Result<_, _>>()?, probes: Vec::new() }
            }
        })
    }

    fn stage(&mut self, index: usize, stage: &Stage, requests: SeriesId) -> Result<StagePlan, PolicyError> {
        let bake = stage.bake.periods().unwrap_or(1).max(1);
        let mut gates = Vec::new();
        for (at, gate) in stage.gates.iter().enumerate() {
            let id = format!("{}.{}", stage.name, gate.id);
            let resolved = self.gate(bake, gate);
            let kept = self.keep(&format!("stages[{index}].gates[{at}].rule"), &id, resolved)?;
            gates.extend(kept.map(|kind| GatePlan { id, kind }));
        }
        let mut needed = Vec::from([requests]);
        for series in gates.iter().flat_map(|gate| gate.kind.series()) {
            if !needed.contains(&series) {
                needed.push(series);
            }
        }
        let deadline = bake.saturating_mul(stage.deadline_in_bakes);
        Ok(StagePlan { name: stage.name.clone(), weights: stage.weights, bake, deadline, gates, needed })
    }

    fn gate(&mut self, bake: u32, gate: &Gate) -> Resolved<GateKind> {
        Ok(match &gate.rule {
            GateRule::Rate(condition) => GateKind::Rate(self.test(condition)?),
            GateRule::Sum(condition) => GateKind::Sum(self.test(condition)?),
            GateRule::Periods(rule) => {
                let at_least = periods_rounded_up(bake, rule.share.value());
                GateKind::Periods { test: self.test(&rule.hold)?, at_least }
            }
            GateRule::Comparison(rule) => GateKind::Comparison(self.pair(rule)?),
            GateRule::NoTrend(rule) => GateKind::NoTrend {
                term: self.term(Side::Green, &rule.signal, true)?,
                rise: rule.rise.value(),
                fit: rule.fit.value(),
            },
            GateRule::Baseline(rule) => GateKind::Baseline(self.baseline(rule)?),
        })
    }

    fn test(&mut self, condition: &Condition) -> Resolved<Test> {
        Ok(Test { term: self.term(Side::Green, &condition.signal, true)?, condition: condition.clone() })
    }

    fn term(&mut self, side: Side, signal: &Signal, with_history: bool) -> Resolved<Term> {
        let mut find = |metric| self.find(side, metric, with_history);
        Ok(match signal {
            Signal::Metric(metric) => Term::Series(find(metric)?),
            Signal::Rate { part, whole } => {
                Term::Rate { part: find(part)?, whole: find(whole)?, complement: false }
            }
            Signal::Complement { part, whole } => {
                Term::Rate { part: find(part)?, whole: find(whole)?, complement: true }
            }
        })
    }

    /// Blue must have been recorded beside green: its history alone is nothing to compare with, minute by minute.
    fn pair(&mut self, rule: &ComparisonRule) -> Resolved<CountPair> {
        let p95 = &Metric::LatencyP95;
        let both = [Side::Green, Side::Blue].iter().all(|side| self.is_available(*side, p95, false));
        let latency = if both || !self.world.may_skip {
            Some((self.find(Side::Green, p95, false)?, self.find(Side::Blue, p95, false)?))
        } else {
            None
        };
        Ok(CountPair {
            green_errors: self.find(Side::Green, &Metric::Errors, false)?,
            green_requests: self.find(Side::Green, &Metric::Requests, false)?,
            blue_requests: self.find(Side::Blue, &Metric::Requests, false)?,
            blue_errors: self.find(Side::Blue, &Metric::Errors, false)?,
            latency,
            significance: rule.significance.value(),
            latency_ratio: rule.latency_ratio.value(),
            latency_surplus: rule.latency_surplus.value(),
        })
    }

    fn baseline(&mut self, rule: &BaselineRule) -> Resolved<BaselinePair> {
        Ok(BaselinePair {
            green: self.term(Side::Green, &rule.signal, true)?,
            blue: self.term(Side::Blue, &rule.signal, true)?,
            at_least: rule.at_least.value(),
        })
    }

    /// Sparse counts are never skipped in a recording: without a row they are 0.
    fn is_available(&self, side: Side, metric: &Metric, with_history: bool) -> bool {
        (self.world.may_skip && self.policy.evidence.sparse.contains(metric))
            || (self.world.available)(Sought { side, metric, with_history })
    }

    fn find(&mut self, side: Side, metric: &Metric, with_history: bool) -> Resolved<SeriesId> {
        if self.is_available(side, metric, with_history) {
            Ok(self.series_id(side, metric))
        } else {
            Err(Lacking { side, metric: metric.clone() })
        }
    }

    fn series_id(&mut self, side: Side, metric: &Metric) -> SeriesId {
        let known = self.series.iter().position(|series| series.side == side && series.metric == *metric);
        if let Some(known) = known.and_then(|index| u16::try_from(index).ok()) {
            return SeriesId(known);
        }
        let requests = (*metric != Metric::Requests).then(|| self.series_id(side, &Metric::Requests));
        // A policy has a handful of rules; each adds a handful of series.
        let id = SeriesId(u16::try_from(self.series.len()).unwrap_or(u16::MAX));
        let class = if self.policy.evidence.sparse.contains(metric) {
            Class::Sparse
        } else if metric.is_independent_of_traffic() {
            Class::Independent
        } else {
            Class::Plain
        };
        self.series.push(Series { side, metric: metric.clone(), class, requests: requests.unwrap_or(id) });
        id
    }
}

/// The periods that a share of a bake is, rounded up. Shares are read in percent, so that rounding to a millionth first keeps
/// 95 % of 60 at 57 however the double falls.
fn periods_rounded_up(bake: u32, share: f64) -> u32 {
    let millionths = libm::round(share * 1e6);
    let periods = libm::ceil(f64::from(bake) * millionths / 1e6);
    (1..=bake).find(|periods_needed| f64::from(*periods_needed) >= periods).unwrap_or(bake)
}
