//! `demo`: the whole strategy on a simulated world, first with a good release, then with a bad one.

#[cfg(feature = "live")]
mod live;
#[cfg(feature = "aws")]
mod on_aws;
mod pace;
mod screen;
pub(crate) mod standing;

use std::fmt::Write as _;
use std::time::Instant;

use console::style;
use mpac_deploy_core::policy::{Policy, mpac};
use mpac_deploy_testkit::scenario::{self, Scenario};
use mpac_deploy_testkit::sim::{self, Frame, SimReport};

use crate::cli::DemoOptions;
use crate::reply::{Failure, Reply, Status};
use crate::say_line as say;
use crate::{account, report, words};
#[cfg(feature = "live")]
pub(crate) use live::Live;
#[cfg(feature = "aws")]
pub(crate) use on_aws::OnAws;
use pace::Pace;
use screen::Screen;

/// The rollouts of the demo: a title, what to watch for, and the scenario.
const ACTS: [(&str, &str, &str); 2] = [
    ("A good release", "it goes through canary, half and full, and blue is retired.", "healthy"),
    ("A bad release", "at half, 3 % of its requests fail, and it is taken back.", "error-spike-over"),
];

/// Any seed would do.
const SEED: u64 = 1;

/// Slow enough for an eye, and the whole strategy twice in a few seconds.
const SPEED: u32 = 750;

/// The world's clock runs so many times as fast as the runtime's, which sets how often it is looked at: every six seconds of
/// the world, which is often enough for an eye and seldom enough for a slow machine.
const GRAIN: u32 = 60;

pub(crate) fn run(options: &DemoOptions) -> Result<Reply, Failure> {
    #[cfg(feature = "live")]
    if options.live.is_wanted() {
        return live::run(options);
    }
    #[cfg(feature = "aws")]
    if options.on_aws.is_wanted() {
        return on_aws::run(options);
    }
    report::prepare(options.report.as_deref())?;
    let policy = mpac();
    let began = Instant::now();
    let (mut text, mut stories, mut status) = (String::new(), Vec::new(), Status::Done);
    for (title, caption, name) in ACTS {
        let scenario = scenario::by_name(name).map_err(|error| Failure::Input(error.to_string()))?;
        say(&format!("{}: {caption}", style(title).bold()));
        let outcome = play(&scenario, &policy, options.speed.unwrap_or(SPEED))?;
        if !outcome.as_expected {
            status = Status::Found;
        }
        summarize(&mut text, title, &outcome);
        stories.push(report::of_simulation(format!("{title} (simulated)"), &policy, &scenario, &outcome));
    }
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        text,
        "{}",
        style(format!("The whole demo took {} here.", words::span(began.elapsed()))).dim()
    );
    if let Some(path) = &options.report {
        report::write(path, &stories)?;
        let _ = writeln!(text, "Report: {}", path.display());
    }
    Ok(Reply { status, text })
}

/// One rollout, shown while it runs. The runtime's own clock stands still unless everything waits, so what happens depends
/// on the seed alone; the eye is waited for by blocking.
fn play(scenario: &Scenario, policy: &Policy, speed: u32) -> Result<SimReport, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| Failure::World(error.to_string()))?;
    let screen = Screen::new(policy);
    let mut pace = Pace::new(speed);
    let mut told = 0;
    let watch = |frame: &Frame<'_>| {
        pace.wait_until(frame.now);
        screen.show(frame);
        told += frame.decisions.len();
    };
    let result = runtime.block_on(sim::run_paced(scenario, policy, SEED, GRAIN, watch));
    let outcome = result.map_err(|error| Failure::World(error.to_string()))?;
    // The end comes after the last frame.
    for decision in outcome.decisions.iter().skip(told) {
        screen.tell(decision);
    }
    screen.close();
    say("");
    Ok(outcome)
}

fn summarize(text: &mut String, title: &str, outcome: &SimReport) {
    let mark = if outcome.as_expected { style("✓").green() } else { style("✗").red() };
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{mark} {}", style(format!("{title}.")).bold());
    let mut paragraph = |words: &str| {
        for line in words::for_terminal(words, 2) {
            let _ = writeln!(text, "  {line}");
        }
    };
    paragraph(&account::sentence(outcome));
    if let Some(decision) = account::rollback(outcome) {
        paragraph(&format!("Why: {}.", words::without_days(&decision.reason)));
        if !decision.counterfactual.is_empty() {
            paragraph(&format!("What would have changed it: {}.", decision.counterfactual));
        }
    }
}
