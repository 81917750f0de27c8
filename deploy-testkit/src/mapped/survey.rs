//! A policy on every recording of the two data sets.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::policy::{Policy, PolicyError};
use mpac_deploy_core::time::Period;

use super::nab::{self, SERIES, StandsFor};
use super::petshop::{self, FRONT, Issue, ServicePeriod};
use super::{LONGEST_ROLLOUT, MapError, minutes_after, minutes_before};
use crate::backtest::{BacktestOutcome, backtest};
use crate::recording::{Recording, RecordingError};

/// A rollout on a labelled anomaly begins so many minutes before it: the preset is in stage `half` when it comes.
pub const LEAD: u32 = 30;
/// Rollouts on recordings in which nothing was changed begin so many minutes apart: as long as one takes at least.
pub const APART: u32 = 105;

/// How a rollout would have gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How it ended.
    pub outcome: BacktestOutcome,
    /// In which stage.
    pub stage: String,
    /// The rule that rolled it back, if one did.
    pub rule: Option<String>,
    /// So many minutes after its start.
    pub minute: u32,
    /// The rules that raised an alert, each once, in the order of their first.
    pub alerts: Vec<String>,
}

impl Ending {
    /// A rollout on a recording.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy cannot be safe.
    pub fn of(policy: &Policy, recording: &Recording) -> Result<Self, PolicyError> {
        let result = backtest(policy, recording)?;
        let deciding = result.decisions.last().filter(|_| result.outcome != BacktestOutcome::InProgress);
        let evidence_end = deciding.and_then(|decision| decision.evidence_end);
        let end = evidence_end.map_or(recording.end().next(), Period::containing);
        let mut alerts = Vec::new();
        for decision in result.decisions.iter().filter(|decision| decision.kind == DecisionKind::Alert) {
            alerts.extend(decision.rule.clone().filter(|rule| !alerts.contains(rule)));
        }
        Ok(Self {
            outcome: result.outcome,
            stage: result.stage,
            rule: deciding.and_then(|decision| decision.rule.clone()),
            minute: end.since(recording.start()),
            alerts,
        })
    }
}

/// What a policy would have done on each recording.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The series of the anomaly benchmark, in the order of [`SERIES`].
    pub series: Vec<SeriesResult>,
    /// The injected faults, by traffic, split and number.
    pub issues: Vec<IssueResult>,
    /// The recordings without a fault.
    pub normal: Vec<NormalResult>,
}

/// A series of the anomaly benchmark.
#[derive(Clone, Debug)]
pub struct SeriesResult {
    /// The file, below `nab/data`.
    pub file: &'static str,
    /// What it was read as.
    pub stands_for: StandsFor,
    /// The minutes between two values.
    pub step: u32,
    /// A rollout begun [`LEAD`] minutes before each labelled moment, in their order.
    pub labelled: Vec<Ending>,
    /// Rollouts begun every [`LONGEST_ROLLOUT`] minutes, as long as the series has that many left.
    pub throughout: Vec<Ending>,
}

/// An injected fault.
#[derive(Clone, Debug)]
pub struct IssueResult {
    /// The kind of traffic, the split and the number: `high_traffic/test/issue_0`.
    pub name: String,
    /// The fault.
    pub issue: Issue,
    /// On the recording as it is.
    pub as_recorded: Ending,
    /// On a release that brings the fault and keeps it.
    pub had_it_lasted: Ending,
}

/// A recording of two days without an injected fault.
#[derive(Clone, Debug)]
pub struct NormalResult {
    /// The kind of traffic.
    pub name: String,
    /// Rollouts begun every [`APART`] minutes.
    pub rollouts: Vec<Ending>,
}

/// A recording that could not be surveyed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct SurveyError {
    /// The file or the directory.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not what it should be.
    #[error("{0}")]
    Map(#[from] MapError),
    /// What was mapped from it is no recording.
    #[error("{0}")]
    Recording(#[from] RecordingError),
    /// The policy is refused.
    #[error("{0}")]
    Policy(#[from] PolicyError),
}

/// Replays a policy on every recording below a folder that holds `nab` and `petshop`.
///
/// # Errors
/// [`SurveyError`] for the first recording that is missing or malformed, or when the policy cannot be safe.
pub fn survey(policy: &Policy, folder: &Path) -> Result<Survey, SurveyError> {
    let (nab, petshop) = (folder.join("nab"), folder.join("petshop/dataset"));
    let labels_path = nab.join("labels/combined_labels.json");
    let labels = within(&labels_path, |file| Ok(nab::read_labels(file)?))?;
    let mut series = Vec::new();
    for (file, stands_for) in SERIES {
        let labels = labels.get(file).map(Vec::as_slice).unwrap_or_default();
        let read = |source: Source| survey_series(policy, source, file, stands_for, labels);
        series.push(within(&nab.join("data").join(file), read)?);
    }
    let mut survey = Survey { series, issues: Vec::new(), normal: Vec::new() };
    for traffic in sorted(&petshop)? {
        let normal = petshop.join(&traffic).join("noissue/metrics.csv");
        if normal.is_file() {
            let rollouts = within(&normal, |file| survey_normal(policy, file))?;
            survey.normal.push(NormalResult { name: traffic.clone(), rollouts });
        }
        for split in ["test", "train"] {
            for issue in sorted(&petshop.join(&traffic).join(split))? {
                let name = format!("{traffic}/{split}/{issue}");
                survey.issues.push(survey_issue(policy, &petshop, name)?);
            }
        }
    }
    Ok(survey)
}

type Source = BufReader<File>;

/// Reads a file; whatever goes wrong names it.
fn within<T>(path: &Path, read: impl FnOnce(Source) -> Result<T, Problem>) -> Result<T, SurveyError> {
    let opened = File::open(path).map(BufReader::new).map_err(Problem::from);
    opened.and_then(read).map_err(|problem| SurveyError { path: path.to_owned(), problem })
}

/// The folders in a folder, `issue_2` before `issue_10`.
fn sorted(folder: &Path) -> Result<Vec<String>, SurveyError> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in folder.read_dir()? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort_by_key(|name| (name.len(), name.clone()));
        Ok(names)
    };
    list().map_err(|error| SurveyError { path: folder.to_owned(), problem: error.into() })
}

fn survey_series(
    policy: &Policy,
    source: Source,
    file: &'static str,
    stands_for: StandsFor,
    labels: &[Period],
) -> Result<SeriesResult, Problem> {
    let series = nab::Series::read(source)?;
    let rollout = |from: Period| -> Result<Option<Ending>, Problem> {
        match series.recording(stands_for, from, LONGEST_ROLLOUT) {
            Ok(recording) => Ok(Some(Ending::of(policy, &recording)?)),
            // There is no value in these hours.
            Err(RecordingError::NoGreenRequests) => Ok(None),
            Err(error) => Err(error.into()),
        }
    };
    let (first, last) = series.extent();
    let mut throughout = Vec::new();
    let mut from = first;
    while minutes_after(from, LONGEST_ROLLOUT) <= last.next() {
        throughout.extend(rollout(from)?);
        from = minutes_after(from, LONGEST_ROLLOUT);
    }
    let mut labelled = Vec::new();
    for label in labels {
        labelled.extend(rollout(minutes_before(*label, LEAD))?);
    }
    Ok(SeriesResult { file, stands_for, step: series.step(), labelled, throughout })
}

fn survey_issue(policy: &Policy, petshop: &Path, name: String) -> Result<IssueResult, SurveyError> {
    let folder = petshop.join(&name);
    let issue = within(&folder.join("target.json"), |target| {
        Ok(Issue::read(File::open(folder.join("metrics.csv")).map(BufReader::new)?, target)?)
    })?;
    let endings = || -> Result<(Ending, Ending), Problem> {
        let as_recorded = Ending::of(policy, &issue.as_recorded()?)?;
        Ok((as_recorded, Ending::of(policy, &issue.had_it_lasted(LONGEST_ROLLOUT)?)?))
    };
    let (as_recorded, had_it_lasted) = endings().map_err(|problem| SurveyError { path: folder, problem })?;
    Ok(IssueResult { name, issue, as_recorded, had_it_lasted })
}

fn survey_normal(policy: &Policy, source: Source) -> Result<Vec<Ending>, Problem> {
    let periods = petshop::read_service(source, FRONT)?;
    let (Some(ServicePeriod { start: first, .. }), Some(last)) = (periods.first(), periods.last()) else {
        return Err(MapError::Missing("period".into()).into());
    };
    let mut rollouts = Vec::new();
    // The hours before the first rollout are its blue.
    let mut from = minutes_after(*first, LONGEST_ROLLOUT);
    while minutes_after(from, LONGEST_ROLLOUT) <= last.start {
        rollouts.push(Ending::of(policy, &petshop::unchanged(&periods, from, LONGEST_ROLLOUT)?)?);
        from = minutes_after(from, APART);
    }
    Ok(rollouts)
}
