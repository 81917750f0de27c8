//! The rollback decision matrix of the strategy: which way back for which kind of issue.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong, in the words of the strategy's decision matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IssueKind {
    /// Too many failed requests.
    HighErrorRate,
    /// Slower than allowed.
    PerformanceDegradation,
    /// One feature misbehaves behind its flag.
    FeatureBug,
    /// Wrong data was written.
    DatabaseCorruption,
    /// The new version can be attacked.
    SecurityVulnerability,
}

/// Why a person takes a release back (strategy, "Manual Rollback Decision"): what they saw, not yet what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ManualReason {
    /// Business metrics are not as they should be: the transaction volume drops.
    BusinessAnomaly,
    /// Customers report issues.
    CustomerReports,
    /// Security concerns.
    Security,
    /// The data's integrity is in doubt.
    DataIntegrity,
}

impl ManualReason {
    /// Every reason, in the order of the strategy.
    pub const ALL: [Self; 4] =
        [Self::BusinessAnomaly, Self::CustomerReports, Self::Security, Self::DataIntegrity];

    /// The word that stands for it in JSON and on command lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BusinessAnomaly => "business-anomaly",
            Self::CustomerReports => "customer-reports",
            Self::Security => "security",
            Self::DataIntegrity => "data-integrity",
        }
    }

    /// The row of the decision matrix that it leads to. What customers report and business metrics show is not known to be one
    /// feature's, so all traffic goes back.
    #[must_use]
    pub const fn issue(self) -> IssueKind {
        match self {
            Self::BusinessAnomaly | Self::CustomerReports => IssueKind::HighErrorRate,
            Self::Security => IssueKind::SecurityVulnerability,
            Self::DataIntegrity => IssueKind::DatabaseCorruption,
        }
    }
}

/// How a release is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RollbackMethod {
    /// Blue's weight goes to 100, green's to 0.
    TrafficShift,
    /// The same, ahead of everything else.
    ImmediateTrafficShift,
    /// The feature's flag is switched off.
    FeatureFlag,
    /// Green is stopped, the migration undone, and traffic goes to blue.
    DatabaseRollback,
}

/// How much can go wrong on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nothing but the feature changes.
    VeryLow,
    /// Traffic moves to what served before.
    Low,
    /// Data may be lost.
    High,
}

/// A row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WayBack {
    /// The method.
    pub method: RollbackMethod,
    /// The longest time that the strategy gives it.
    pub at_most: Duration,
    /// The strategy's judgement of its risk.
    pub risk: Risk,
}

impl IssueKind {
    /// Every kind, in the order of the strategy.
    pub const ALL: [Self; 5] = [
        Self::HighErrorRate,
        Self::PerformanceDegradation,
        Self::FeatureBug,
        Self::DatabaseCorruption,
        Self::SecurityVulnerability,
    ];

    /// The word that stands for it in JSON and on command lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HighErrorRate => "high-error-rate",
            Self::PerformanceDegradation => "performance-degradation",
            Self::FeatureBug => "feature-bug",
            Self::DatabaseCorruption => "database-corruption",
            Self::SecurityVulnerability => "security-vulnerability",
        }
    }

    /// The way back that the strategy's decision matrix names.
    #[must_use]
    pub const fn way_back(self) -> WayBack {
        let (method, seconds, risk) = match self {
            Self::HighErrorRate | Self::PerformanceDegradation => {
                (RollbackMethod::TrafficShift, 60, Risk::Low)
            }
            Self::FeatureBug => (RollbackMethod::FeatureFlag, 5, Risk::VeryLow),
            Self::DatabaseCorruption => (RollbackMethod::DatabaseRollback, 600, Risk::High),
            Self::SecurityVulnerability => (RollbackMethod::ImmediateTrafficShift, 30, Risk::Low),
        };
        WayBack { method, at_most: Duration::from_secs(seconds), risk }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "json")]
    #[test]
    fn the_words_are_those_of_json() {
        for reason in ManualReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        for issue in IssueKind::ALL {
            assert_eq!(serde_json::to_value(issue).unwrap(), issue.as_str());
        }
    }

    #[test]
    fn a_persons_reason_leads_to_its_row() {
        let methods = ManualReason::ALL.map(|reason| reason.issue().way_back().method);
        assert_eq!(
            methods,
            [
                RollbackMethod::TrafficShift,
                RollbackMethod::TrafficShift,
                RollbackMethod::ImmediateTrafficShift,
                RollbackMethod::DatabaseRollback
            ]
        );
    }

    #[test]
    fn the_rows_are_those_of_the_strategy() {
        use RollbackMethod::{DatabaseRollback, FeatureFlag, ImmediateTrafficShift, TrafficShift};
        let rows = [
            (IssueKind::HighErrorRate, TrafficShift, 60, Risk::Low),
            (IssueKind::PerformanceDegradation, TrafficShift, 60, Risk::Low),
            (IssueKind::FeatureBug, FeatureFlag, 5, Risk::VeryLow),
            (IssueKind::DatabaseCorruption, DatabaseRollback, 600, Risk::High),
            (IssueKind::SecurityVulnerability, ImmediateTrafficShift, 30, Risk::Low),
        ];
        for (row, (issue, method, seconds, risk)) in IssueKind::ALL.into_iter().zip(rows) {
            let at_most = Duration::from_secs(seconds);
            assert_eq!((row, row.way_back()), (issue, WayBack { method, at_most, risk }));
        }
    }
}
