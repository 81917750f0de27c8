//! The preset's conditions as expressions of `cel` (Common Expression Language), evaluated as cheaply as its interface allows.
//!
//! Each expression is compiled once; the numbers are borrowed through a resolver, so that setting a sample neither hashes a
//! name nor copies a value. What the peer does not do and our side of the comparison does in the same time: windows (a run of
//! five, 57 of 60, a sum or a rate over an hour, a trend), the six kinds of evidence and with them `blind` and `no-traffic`, an
//! alert's state, and the numbers that a verdict rests on. Its answer is a boolean a rule.

use cel::common::types::CelDouble;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, ParseErrors, Program, Value};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_testkit::recording::Draft;

/// The preset's triggers, then its alerts, for one sample.
pub const CEL_ALERTS_AND_TRIGGERS: [&str; 9] = [
    "errors / requests > 0.01",
    "latency_p95_ms > 2000.0",
    "postgres_up == 0.0 || redis_up == 0.0",
    "http_5xx > 10.0",
    "errors / requests > 0.005",
    "latency_p95_ms > 1000.0",
    "(requests - errors) / requests < 0.995",
    "db_connection_errors > 10.0",
    "memory_utilization > 0.85",
];

/// The conditions of the gates of the preset's stage `full`, on one sample instead of a window.
pub const CEL_GATES: [&str; 7] = [
    "errors / requests < 0.001",
    "(requests - errors) / requests > 0.999",
    "latency_p50_ms < 100.0",
    "latency_p95_ms < 500.0",
    "latency_p99_ms < 1000.0",
    "log_anomalies == 0.0",
    "transactions / requests >= 0.8 * 0.4",
];

/// Compiled expressions and what they are evaluated in.
pub struct CelRules {
    programs: Vec<Program>,
    root: Context<'static, 'static>,
}

impl CelRules {
    /// Compiles every expression.
    ///
    /// # Errors
    /// [`ParseErrors`] when one is malformed.
    pub fn compile(expressions: &[&str]) -> Result<Self, ParseErrors> {
        let programs = expressions.iter().map(|text| Program::compile(text)).collect::<Result<_, _>>()?;
        Ok(Self { programs, root: Context::default() })
    }

    /// One sample through every expression: how many hold, `None` if one could not be evaluated.
    #[must_use]
    pub fn holding(&self, sample: &CelSample) -> Option<usize> {
        let mut scope = self.root.new_inner_scope();
        scope.set_variable_resolver(sample);
        let mut holding = 0;
        for program in &self.programs {
            match program.execute(&scope) {
                Ok(Value::Bool(holds)) => holding += usize::from(holds),
                Ok(_) | Err(_) => return None,
            }
        }
        Some(holding)
    }
}

/// The numbers of one healthy minute.
#[derive(Clone, Copy, Debug)]
pub struct CelSample([CelDouble; 13]);

impl Default for CelSample {
    /// Absent sparse counts are 0: the peer has no kind of evidence to say so.
    fn default() -> Self {
        Self(Metric::KNOWN.map(|metric| {
            let known = Draft::HEALTHY.iter().find(|(its_metric, _)| *its_metric == metric);
            CelDouble::from(known.map_or(0.0, |(_, value)| *value))
        }))
    }
}

impl VariableResolver for CelSample {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let index = Metric::KNOWN.iter().position(|metric| metric.name() == name)?;
        self.0.get(index).map(|value| CowVal::Borrowed(value as _))
    }
}
