//! The sum of all that is wrong with a side in a period.

use std::time::Duration;

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::time::Period;

use super::World;
use super::fleet::Running;
use super::history::History;
use super::symptom::Symptom;

/// The share of requests that fail with a status of 5xx while no healthy task is left and the target group fails open.
const FAIL_OPEN_ERRORS: f64 = 0.2;
/// The share of requests that fail with a status of 5xx while the database is down.
const DATABASE_DOWN_ERRORS: f64 = 0.6;
/// The share of requests that fail with a status of 5xx while another critical service is down.
const SERVICE_DOWN_ERRORS: f64 = 0.3;
/// Nothing but the load balancer answers.
const NO_TASK_ERRORS: f64 = 1.0;

/// What is wrong with a side in a period, all of it together.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) has_tasks: bool,
    pub(super) requests: f64,
    pub(super) errors: f64,
    pub(super) exact_errors: Option<f64>,
    pub(super) server_errors: f64,
    pub(super) server_errors_per_minute: f64,
    pub(super) latency: f64,
    pub(super) memory: f64,
    pub(super) db_errors: f64,
    pub(super) db_down: bool,
    pub(super) transactions: f64,
    pub(super) transaction_failures: f64,
    pub(super) anomalies: f64,
    pub(super) pins: Vec<(Metric, f64)>,
    pub(super) late: Duration,
    pub(super) lost: bool,
    pub(super) lost_metrics: Vec<Metric>,
}

impl World {
    pub(super) fn condition(&self, history: &History, side: Side, period: Period) -> Condition {
        let (start, all) = (period.start(), self.setup.tasks);
        let running = self.running(history, side, start);
        let mut condition = Condition::sound();
        condition.has_tasks = running != Running::Nothing;
        for (symptom, intensity) in self.symptoms(history, side, start) {
            condition.add(symptom, intensity, all);
        }
        if !condition.has_tasks {
            condition.server_errors = NO_TASK_ERRORS;
        }
        condition
    }
}

impl Condition {
    const fn sound() -> Self {
        Self {
            has_tasks: true,
            requests: 1.0,
            errors: 0.0,
            exact_errors: None,
            server_errors: 0.0,
            server_errors_per_minute: 0.0,
            latency: 1.0,
            memory: 0.0,
            db_errors: 0.0,
            db_down: false,
            transactions: 1.0,
            transaction_failures: 0.0,
            anomalies: 0.0,
            pins: Vec::new(),
            late: Duration::ZERO,
            lost: false,
            lost_metrics: Vec::new(),
        }
    }

    fn add(&mut self, symptom: &Symptom, intensity: f64, tasks: u32) {
        // A factor grows from 1.
        let factor = |full: f64| (full - 1.0).mul_add(intensity, 1.0);
        match symptom {
            Symptom::Errors(share) => self.errors += share * intensity,
            Symptom::ExactErrors(share) => self.exact_errors = Some(share * intensity),
            Symptom::ServerErrors(share) => self.server_errors += share * intensity,
            Symptom::ServerErrorsPerMinute(count) => self.server_errors_per_minute += count * intensity,
            Symptom::Latency(full) => self.latency *= factor(*full),
            Symptom::Memory(share) => self.memory += share * intensity,
            Symptom::DbConnectionErrors(count) => self.db_errors += count * intensity,
            Symptom::TransactionFailures(share) => self.transaction_failures += share * intensity,
            Symptom::Transactions(full) => self.transactions *= factor(*full),
            Symptom::LogAnomalies(count) => self.anomalies += count * intensity,
            Symptom::Requests(full) => self.requests *= factor(*full),
            Symptom::Pin(metric, value) => self.pins.push((metric.clone(), *value)),
            Symptom::ServiceDown(service) => self.service_down(service),
            Symptom::MetricsLate(by) => self.late = self.late.max(*by),
            Symptom::MetricsLost => self.lost = true,
            Symptom::MetricLost(metric) => self.lost_metrics.push(metric.clone()),
            Symptom::TasksDown(down) if *down < tasks => self.slower_by(*down, tasks),
            Symptom::Flapping(_) if tasks > 1 => self.slower_by(1, tasks),
            Symptom::TasksDown(_) | Symptom::Flapping(_) | Symptom::FailOpen => {
                self.server_errors += FAIL_OPEN_ERRORS;
            }
            // Before green has traffic these are nobody's requests.
            Symptom::NeverHealthy | Symptom::BadImage | Symptom::CheckFails(_) => {}
        }
    }

    fn service_down(&mut self, service: &Metric) {
        if *service == Metric::PostgresUp {
            self.db_down = true;
            self.server_errors += DATABASE_DOWN_ERRORS;
            self.transaction_failures += DATABASE_DOWN_ERRORS;
        } else {
            self.server_errors += SERVICE_DOWN_ERRORS;
        }
    }

    /// The tasks that are left do the work of all.
    fn slower_by(&mut self, down: u32, tasks: u32) {
        self.latency *= f64::from(down).mul_add(0.3 / f64::from(tasks), 1.0);
    }
}
