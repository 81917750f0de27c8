//! What the rules look at, whatever it was read from.

use super::Place;

/// A template or a zone.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) source: Source,
    pub(super) records: Vec<Record>,
    pub(super) tables: Vec<Table>,
    pub(super) statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    CloudFormation,
    Terraform,
    Zone,
}

/// A setting of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting<T> {
    /// It is not there.
    Absent,
    /// It stands in the template itself, or in the zone.
    Fixed(T),
    /// A parameter or variable, with its default.
    Variable(Option<T>),
    /// Something that cannot be known before it is deployed.
    Unknown,
}

impl<T: Copy> Setting<T> {
    /// The value as far as it is known.
    pub(super) const fn known(&self) -> Option<T> {
        match self {
            Self::Fixed(value) | Self::Variable(Some(value)) => Some(*value),
            Self::Absent | Self::Variable(None) | Self::Unknown => None,
        }
    }
}

/// A record set. A text that cannot be known stands as its expression.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) set: Option<String>,
    pub(super) weight: Setting<f64>,
    /// Routing that is not by weight.
    pub(super) other_routing: Option<&'static str>,
    pub(super) alias: Option<Alias>,
    pub(super) health_check: bool,
    /// What the template's language has against losing the record.
    pub(super) kept: bool,
    /// Terraform: applies leave the weight alone.
    pub(super) weight_ignored: bool,
    /// Terraform: a record that is there already is overwritten when this one is created.
    pub(super) overwrites: bool,
}

#[derive(Debug)]
pub(super) struct Alias {
    pub(super) target: String,
    /// The resource of the same template that the target is read from.
    pub(super) follows: Option<String>,
    pub(super) evaluate_health: Setting<bool>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) place: Place,
    pub(super) name: Option<String>,
    pub(super) keys: Vec<String>,
    pub(super) deletion_protection: bool,
    pub(super) point_in_time_recovery: bool,
    pub(super) kept: bool,
}

/// A statement of a policy that allows something.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) place: Place,
    pub(super) actions: Vec<String>,
    /// `NotAction`: all but these.
    pub(super) all_but_actions: bool,
    pub(super) resources: Vec<String>,
    /// `NotResource`: all but these.
    pub(super) all_but_resources: bool,
    pub(super) condition_keys: Vec<String>,
}
