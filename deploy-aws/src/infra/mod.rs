//! Infrastructure as code: the documents that make what a rollout needs, and a check of those that are there.
//!
//! - [`cloudformation`] and [`terraform`] print both weighted records, the journal's table and a least-privilege policy,
//! - [`stack_policy`] is what keeps CloudFormation from setting the weights back,
//! - [`check`] reads a template or a live zone and says what would hurt,
//! - [`calls`] lists what each adapter calls.
//!
//! Why the documents look as they do is in the book's chapter on infrastructure.
//!
//! ```
//! use mpac_deploy_aws::infra::{self, Description, Format, Options};
//!
//! let template = infra::cloudformation(&Description::new("api.mpac-cloud.com"))?;
//! assert!(template.contains("!Ref BlueWeight"));
//! let report = infra::check(&template, Format::CloudFormation, &Options::default())?;
//! assert!(report.findings.is_empty());
//! # Ok::<(), infra::InfraError>(())
//! ```

pub mod calls;
mod check;
mod cloudformation;
mod description;
pub(crate) mod policy;
mod terraform;
mod yaml;

#[cfg(feature = "route53")]
pub use check::check_zone;
pub use check::{Format, Options, Report, Rule, check};
pub use cloudformation::{cloudformation, stack_policy};
pub use description::{Archive, Balancer, DEFAULT_TABLE, Description, Fleet, Side};
pub use terraform::terraform;

/// Why there is no template, or nothing could be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InfraError {
    /// No name of its kind.
    #[error("{what} is named `{given}`, which is no name there: letters, digits, `-`, `_` and `.` make one")]
    Name {
        /// What should have it.
        what: &'static str,
        /// What was given.
        given: String,
    },
    /// No ARN of one thing.
    #[error("{what} is given as `{given}`, which is no ARN of one thing: write it whole, without wildcards")]
    Arn {
        /// What should have it.
        what: &'static str,
        /// What was given.
        given: String,
    },
    /// Both sides have one set identifier.
    #[error("blue and green have the same set identifier, `{0}`: give each its own")]
    SameSet(String),
    /// Both sides have one load balancer.
    #[error(
        "blue and green have the same load balancer, `{0}`: the weights would change nothing; give each its own"
    )]
    SharedBalancer(String),
    /// More is described than fits into one policy.
    #[error(
        "the controller's policy has {characters} characters, and IAM takes {most}: describe fewer services, and make a second policy for the others"
    )]
    PolicyTooLarge {
        /// How many characters it has.
        characters: usize,
        /// How many IAM takes.
        most: usize,
    },
    /// The document cannot be read.
    #[error("line {line}: {problem}")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The document cannot be written.
    #[error("the document cannot be written: {0}")]
    Unwritable(String),
}

/// A DNS name as IAM's conditions and comparisons want it: lower case, no dot at the end, `*` escaped.
fn normalized(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase().replace('*', "\\052")
}

/// Whether two names lead to the same place. `dualstack.` is the same balancer, asked for IPv6 too.
fn same_name(one: &str, other: &str) -> bool {
    let bare = |name: &str| normalized(name).trim_start_matches("dualstack.").to_owned();
    bare(one) == bare(other)
}
