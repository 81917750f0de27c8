//! The live view on a terminal, and plain lines elsewhere.

use console::{Term, style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::metric::{Metric, Signal};
use mpac_deploy_core::policy::{Policy, Stage};
use mpac_deploy_testkit::sim::Frame;

use super::say;
use super::standing::{self, Step};
use crate::{limits, words};

/// The width of the bars.
const BAR: &str = "28";

/// Where a rollout is shown.
pub(super) enum Screen<'a> {
    Live(Box<Live<'a>>),
    Plain,
}

impl<'a> Screen<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        if Term::stdout().features().is_attended() {
            Self::Live(Box::new(Live::new(policy)))
        } else {
            Self::Plain
        }
    }

    pub(super) fn show(&self, frame: &Frame<'_>) {
        for decision in frame.decisions {
            self.tell(decision);
        }
        match self {
            Self::Live(live) => live.show(frame),
            Self::Plain => {}
        }
    }

    /// A decision becomes a line that stays.
    pub(super) fn tell(&self, decision: &Decision) {
        let line = words::decision_line(decision);
        match self {
            Self::Live(live) => live.tell(&line),
            Self::Plain => say(&line),
        }
    }

    /// Leaves the lines that were told.
    pub(super) fn close(&self) {
        match self {
            Self::Live(live) => live.close(),
            Self::Plain => {}
        }
    }
}

/// Some lines at the bottom that change in place.
pub(super) struct Live<'a> {
    policy: &'a Policy,
    all: MultiProgress,
    steps: ProgressBar,
    traffic: ProgressBar,
    phase: ProgressBar,
    errors: ProgressBar,
    latency: ProgressBar,
    memory: ProgressBar,
}

impl<'a> Live<'a> {
    fn new(policy: &'a Policy) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let line = |template: &str, prefix: &'static str| {
            let bar = all.add(ProgressBar::new(100)).with_prefix(prefix);
            bar.set_style(styled(template));
            bar
        };
        Self {
            policy,
            steps: line("\n  {wide_msg}", ""),
            traffic: line(&bar_template("green/blue"), "traffic"),
            phase: line(&bar_template("cyan/dim"), "now"),
            errors: line(&bar_template("green/dim"), "error rate"),
            latency: line(&bar_template("green/dim"), "p95"),
            memory: line(&bar_template("green/dim"), "memory"),
            all,
        }
    }

    fn show(&self, frame: &Frame<'_>) {
        self.steps.set_message(format!("{}   {}", step_line(frame), style(words::clock(frame.now)).dim()));
        self.traffic.set_position(percent(frame.view.green_share));
        self.traffic.set_message(format!(
            "green gets {:.0} % of the requests, weights {}",
            frame.view.green_share * 100.0,
            frame.view.weights
        ));
        self.phase.set_position(standing::progress(frame.rollout));
        self.phase.set_message(standing::doing(frame.rollout));
        self.show_metrics(frame);
    }

    fn show_metrics(&self, frame: &Frame<'_>) {
        let numbers = frame.view.latest.as_ref().map(|row| &row.green);
        let value = |metric: &Metric| numbers.and_then(|numbers| numbers.get(metric)).copied();
        let requests = value(&Metric::Requests).filter(|requests| *requests > 0.0);
        // Errors are published only when there are some.
        let rate = requests.map(|requests| 100.0 * value(&Metric::Errors).unwrap_or(0.0) / requests);
        let stage = frame.rollout.stage().and_then(|stage| self.policy.stages.get(stage));
        let errors = Signal::Rate { part: Metric::Errors, whole: Metric::Requests };
        self.gauge(&self.errors, stage, &errors, rate, |value| format!("{value:.3} %"));
        let p95 = Signal::Metric(Metric::LatencyP95);
        self.gauge(&self.latency, stage, &p95, value(&Metric::LatencyP95), |value| format!("{value:.0} ms"));
        let memory = value(&Metric::MemoryUtilization).map(|share| share * 100.0);
        let signal = Signal::Metric(Metric::MemoryUtilization);
        self.gauge(&self.memory, stage, &signal, memory, |value| format!("{value:.0} %"));
    }

    /// A value of green beside its limit.
    fn gauge(
        &self,
        bar: &ProgressBar,
        stage: Option<&Stage>,
        signal: &Signal,
        value: Option<f64>,
        write: impl Fn(f64) -> String,
    ) {
        let limit = limits::nearest(self.policy, stage, signal);
        let (Some(value), Some(limit)) = (value, limit) else {
            bar.set_position(0);
            bar.set_message(value.map_or_else(|| style("no value yet").dim().to_string(), write));
            return;
        };
        let over = value >= limit;
        bar.set_style(styled(&bar_template(if over { "red/dim" } else { "green/dim" })));
        bar.set_position(percent(value / limit));
        let number = if over { style(write(value)).red().bold() } else { style(write(value)) };
        bar.set_message(format!("{number} {}", style(format!("limit {}", write(limit))).dim()));
    }

    fn tell(&self, line: &str) {
        let width = usize::from(Term::stdout().size().1);
        // A line that the terminal wraps would confuse the count of those that change in place.
        self.all.println(console::truncate_str(line, width.saturating_sub(1), "…")).ok();
    }

    fn close(&self) {
        for bar in [&self.steps, &self.traffic, &self.phase, &self.errors, &self.latency, &self.memory] {
            bar.finish_and_clear();
        }
        self.all.clear().ok();
    }
}

fn step_line(frame: &Frame<'_>) -> String {
    let steps = standing::steps(frame.rollout);
    let words = steps.into_iter().map(|(name, step)| match step {
        Step::Done => style(format!("✓ {name}")).green().to_string(),
        Step::Running => style(format!("● {name}")).cyan().bold().to_string(),
        Step::Ahead => style(format!("· {name}")).dim().to_string(),
        Step::TakenBack => style(format!("✗ {name}")).red().bold().to_string(),
    });
    words.collect::<Vec<_>>().join("  ")
}

fn bar_template(colours: &str) -> String {
    format!("  {{prefix:10}} {{bar:{BAR}.{colours}}} {{wide_msg}}")
}

/// The templates are our own; one that cannot be read would show as the plain style, not as a panic.
fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100 before")]
fn percent(share: f64) -> u64 {
    (share * 100.0).round().clamp(0.0, 100.0) as u64
}
