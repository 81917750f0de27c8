//! What can be wrong, by its meaning.

use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::port::PortError;

use crate::CallError;

/// An error of the ECS adapter. As a [`PortError`] it keeps its meaning and its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EcsError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The release names an environment that the configuration does not have.
    #[error("there is no environment `{name}`: this adapter has `{}` and `{}`", known[0], known[1])]
    UnknownEnvironment {
        /// The name.
        name: String,
        /// The names that there are.
        known: [String; 2],
    },
    /// The release has one environment play both sides.
    #[error("the environment `{name}` cannot play both sides of a release")]
    OneEnvironment {
        /// The name.
        name: String,
    },
    /// There is no such service.
    #[error("the cluster {cluster} has no service {service}")]
    NoService {
        /// The cluster.
        cluster: String,
        /// The service.
        service: String,
    },
    /// Blue is not such that green could be made from it, or green not such that it could be changed.
    #[error("{service}: {why}")]
    Unfit {
        /// The service.
        service: String,
        /// What is in the way.
        why: Unfit,
    },
    /// Green's task definition differs from blue's in more than what was asked for.
    #[error(
        "{task_definition} was registered from blue's, but `{member}` did not come out the same: it is not used; compare the two and \
         report this"
    )]
    NotCarriedOver {
        /// The revision that was registered.
        task_definition: String,
        /// Where the two differ, as a path.
        member: String,
    },
    /// A service of this name is being deleted.
    #[error("{service} is being deleted, and can be made anew once its last task has stopped")]
    BeingDeleted {
        /// The service.
        service: String,
    },
    /// A later holder of the lease has acted already.
    #[error(
        "the fencing token {fence} is older than {seen}, which {place} has: somebody else acts on the environments now (if the journal \
         was replaced by a new one, remove the tag `mpac-deploy:fence` from the services)"
    )]
    Fenced {
        /// The token of this call.
        fence: FencingToken,
        /// The latest one.
        seen: FencingToken,
        /// The service that has it as a tag, or this process.
        place: String,
    },
    /// A later effect has taken the service over while this one waited.
    #[error("{service} was taken over by a later effect while it was being stopped")]
    TakenOver {
        /// The service.
        service: String,
    },
    /// Somebody has started a service again while it was being stopped.
    #[error(
        "{service} was set to {desired} desired tasks while it was being stopped: by a person, a stack update or its scaling"
    )]
    StartedAgain {
        /// The service.
        service: String,
        /// The tasks that are wanted now.
        desired: i32,
    },
    /// Application Auto Scaling would start a retired service again.
    #[error(
        "{service} is scaled between {min} and {max} tasks by Application Auto Scaling, which would start it again: suspend its scaling \
         (or let this adapter do it, `with_suspended_scaling`)"
    )]
    Scaled {
        /// The service.
        service: String,
        /// The least number of tasks.
        min: i32,
        /// The largest number of tasks.
        max: i32,
    },
    /// The records could not be read for the archive.
    #[error("the records could not be archived: {0}")]
    Records(PortError),
    /// Nothing is left to start a service from.
    #[error("{service} cannot be started again: {why}")]
    NothingKept {
        /// The service.
        service: String,
        /// What is missing.
        why: String,
    },
    /// The archive does not fit into a journal, and there is no bucket for it.
    #[error(
        "the archive of `{environment}` has {bytes} bytes, more than the {limit} that a journal takes: name a bucket for it"
    )]
    ArchiveTooLarge {
        /// The environment.
        environment: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

/// What is in the way of a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It is deployed by something else.
    #[error("its tasks are deployed by {0}, not by ECS itself: their number cannot be set here")]
    Controller(String),
    /// ECS shifts traffic by itself.
    #[error(
        "its deployments are {0} ones of ECS itself, which would shift traffic a second time: use ROLLING"
    )]
    Strategy(String),
    /// It has no number of tasks.
    #[error("it runs one task on each machine (DAEMON), so no number of them can be set")]
    Daemon,
    /// No task is wanted.
    #[error("no task of it is wanted, so there is nothing to make green from")]
    Stopped,
    /// Other services would reach green before the rollout sends traffic there.
    #[error(
        "it is found through {0} as well, past the weights: make green's service by hand once, with an entry of its own or none; that one \
         is kept"
    )]
    Discovered(&'static str),
    /// Both environments would have the same.
    #[error("it would register green's tasks with blue's target group {0}, where production's traffic goes")]
    SharedGroup(String),
    /// It registers with something that is not configured.
    #[error("it registers its tasks with {0}, which is not among the configured target groups")]
    UnknownGroup(String),
    /// A container that a release brings an image or a variable for is not there.
    #[error("its task definition has no container `{0}`")]
    NoContainer(String),
    /// What cannot be changed is other than blue's.
    #[error(
        "its launch type is {found}, and blue's is {wanted}, which cannot be changed: delete the service, and it is made anew"
    )]
    LaunchType {
        /// Green's.
        found: String,
        /// Blue's.
        wanted: String,
    },
}

impl From<EcsError> for PortError {
    fn from(error: EcsError) -> Self {
        let text = error.to_string();
        match error {
            EcsError::Call(CallError::Refused { code, .. }) if names_what_is_not_there(&code) => {
                Self::NotFound(text)
            }
            EcsError::Call(error) => error.into(),
            EcsError::Records(error) => error,
            EcsError::UnknownEnvironment { .. }
            | EcsError::NoService { .. }
            | EcsError::NothingKept { .. } => Self::NotFound(text),
            EcsError::BeingDeleted { .. } | EcsError::StartedAgain { .. } => Self::Unavailable(text),
            EcsError::OneEnvironment { .. }
            | EcsError::Unfit { .. }
            | EcsError::NotCarriedOver { .. }
            | EcsError::Fenced { .. }
            | EcsError::TakenOver { .. }
            | EcsError::Scaled { .. }
            | EcsError::ArchiveTooLarge { .. } => Self::Refused(text),
        }
    }
}

fn names_what_is_not_there(code: &str) -> bool {
    [
        "ClusterNotFoundException",
        "ServiceNotFoundException",
        "TargetGroupNotFound",
        "NoSuchBucket",
        "NoSuchKey",
    ]
    .contains(&code)
}
