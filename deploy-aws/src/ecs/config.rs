//! Which services make up the two environments.

use std::time::Duration;

use mpac_deploy_core::ids::Revision;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::Release;

use super::EcsError;

/// What stands in an image or a variable for the release's revision.
const REVISION: &str = "{revision}";

/// Draining takes minutes; a look every 10 s sees its end soon enough, and costs little.
const POLL: Duration = Duration::from_secs(10);

/// The two environments: the same services in each, one ECS service for each.
///
/// Which environment is blue and which is green is the release's to say, since they swap with every rollout; a release that says
/// nothing means the names `blue` and `green`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EcsConfig {
    /// The cluster, by its name or ARN.
    pub cluster: String,
    /// The names of the environments.
    pub environments: [String; 2],
    /// The services.
    pub services: Vec<EcsService>,
    /// How often is looked whether a service that is stopped has stopped.
    pub poll: Duration,
    /// Whether Application Auto Scaling is suspended for a service that is retired, and resumed when it is started again. Otherwise
    /// a service that scales by itself is not retired (feature `autoscaling`).
    pub suspends_scaling: bool,
}

/// A service in both environments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EcsService {
    /// The name of the ECS service in the first environment and in the second.
    pub names: [String; 2],
    /// Pairs of target groups, by their ARN: where the service of the first environment registers its tasks, and where that of the
    /// second does.
    pub target_groups: Vec<[String; 2]>,
    /// The images that come with a release, by the name of their container. `{revision}` stands for the release's revision.
    pub images: Vec<(String, String)>,
    /// Variables that come with a release, by container and name. `{revision}` stands for the release's revision.
    pub environment: Vec<(String, String, String)>,
}

impl EcsConfig {
    /// Environments `blue` and `green` without services.
    #[must_use]
    pub fn new(cluster: impl Into<String>) -> Self {
        Self {
            cluster: cluster.into(),
            environments: ["blue".into(), "green".into()],
            services: Vec::new(),
            poll: POLL,
            suspends_scaling: false,
        }
    }

    /// The same with one more service.
    #[must_use]
    pub fn with_service(mut self, service: EcsService) -> Self {
        self.services.push(service);
        self
    }

    /// The same with other names for the environments, in the order in which each service names its own.
    #[must_use]
    pub fn with_environments(mut self, first: impl Into<String>, second: impl Into<String>) -> Self {
        self.environments = [first.into(), second.into()];
        self
    }

    /// The same with another pause between two looks at a service that is stopped.
    #[must_use]
    pub const fn with_poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// The same, but Application Auto Scaling is suspended for a service that is retired, instead of refusing to retire it.
    #[must_use]
    pub const fn with_suspended_scaling(mut self) -> Self {
        self.suspends_scaling = true;
        self
    }

    /// Which environment plays which side.
    pub(super) fn roles(&self, release: &Release) -> Result<Roles, EcsError> {
        let place = |side: Side| {
            let default = match side {
                Side::Blue => "blue",
                Side::Green => "green",
            };
            let (name, told) = match &release.environments {
                Some(environments) => (environments.of(side), true),
                None => (default, false),
            };
            match self.environments.iter().position(|known| known == name) {
                Some(place) => Ok(place),
                // Without a word of the release the order says it.
                None if !told => Ok(usize::from(side == Side::Green)),
                None => {
                    Err(EcsError::UnknownEnvironment { name: name.into(), known: self.environments.clone() })
                }
            }
        };
        let (blue, green) = (place(Side::Blue)?, place(Side::Green)?);
        if blue == green {
            let name = self.environments.get(blue).cloned().unwrap_or_default();
            return Err(EcsError::OneEnvironment { name });
        }
        Ok(Roles { green_is_second: green == 1 })
    }

    /// The name of the environment that plays a side.
    pub(super) fn environment(&self, roles: Roles, side: Side) -> &str {
        roles.of(&self.environments, side)
    }

    /// The names of every service, of both environments.
    pub(super) fn names(&self) -> Vec<String> {
        self.services.iter().flat_map(|service| service.names.clone()).collect()
    }
}

impl EcsService {
    /// A service by its names in the first environment and in the second, as `svc-portal-blue` and `svc-portal-green`.
    #[must_use]
    pub fn new(first: impl Into<String>, second: impl Into<String>) -> Self {
        Self {
            names: [first.into(), second.into()],
            target_groups: Vec::new(),
            images: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// The same with a pair of target groups, by their ARNs.
    #[must_use]
    pub fn with_target_groups(mut self, first: impl Into<String>, second: impl Into<String>) -> Self {
        self.target_groups.push([first.into(), second.into()]);
        self
    }

    /// The same with the image that a release brings for a container, as `123.dkr.ecr.eu-west-1.amazonaws.com/svc-portal:{revision}`.
    #[must_use]
    pub fn with_image(mut self, container: impl Into<String>, image: impl Into<String>) -> Self {
        self.images.push((container.into(), image.into()));
        self
    }

    /// The same with a variable that a release sets in a container.
    #[must_use]
    pub fn with_variable(
        mut self,
        container: impl Into<String>,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.environment.push((container.into(), name.into(), value.into()));
        self
    }

    pub(super) fn name(&self, roles: Roles, side: Side) -> &str {
        roles.of(&self.names, side)
    }

    /// Blue's target group and green's, of each pair.
    pub(super) fn groups(&self, roles: Roles) -> impl Iterator<Item = (&str, &str)> {
        self.target_groups.iter().map(move |pair| (roles.of(pair, Side::Blue), roles.of(pair, Side::Green)))
    }

    /// The image of each container for a revision.
    pub(super) fn images(&self, revision: &Revision) -> impl Iterator<Item = (&str, String)> {
        self.images.iter().map(|(container, image)| (container.as_str(), filled(image, revision)))
    }

    /// The variables of a revision: container, name, value.
    pub(super) fn variables(&self, revision: &Revision) -> impl Iterator<Item = (&str, &str, String)> {
        let filled = |value: &String| filled(value, revision);
        self.environment
            .iter()
            .map(move |(container, name, value)| (container.as_str(), name.as_str(), filled(value)))
    }
}

fn filled(template: &str, revision: &Revision) -> String {
    template.replace(REVISION, revision.as_str())
}

/// Which of two is blue's and which is green's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roles {
    green_is_second: bool,
}

impl Roles {
    pub(super) fn of(self, [first, second]: &[String; 2], side: Side) -> &str {
        match (side, self.green_is_second) {
            (Side::Blue, true) | (Side::Green, false) => first,
            (Side::Green, true) | (Side::Blue, false) => second,
        }
    }
}

#[cfg(test)]
mod tests {
    use mpac_deploy_core::ids::RecordName;
    use mpac_deploy_core::migration::Migrations;
    use mpac_deploy_core::plan::Environments;

    use super::*;

    fn release(environments: Option<(&str, &str)>) -> Release {
        Release {
            service: "svc-portal".into(),
            record: RecordName::from("api.mpac-cloud.com"),
            blue: Revision::from("v2.0.0"),
            green: Revision::from("v2.1.0"),
            checks: Vec::new(),
            metrics: Vec::new(),
            probes: Vec::new(),
            environments: environments
                .map(|(blue, green)| Environments { blue: blue.into(), green: green.into() }),
            flags: Vec::new(),
            migrations: Migrations::default(),
        }
    }

    #[test]
    fn the_release_says_which_environment_plays_which_side() {
        let config = EcsConfig::new("mpac").with_service(EcsService::new("portal-a", "portal-b"));
        let green = |release: &Release, config: &EcsConfig| {
            config.roles(release).map(|roles| config.services[0].name(roles, Side::Green).to_owned())
        };
        assert_eq!(green(&release(None), &config).unwrap(), "portal-b");
        assert_eq!(green(&release(Some(("green", "blue"))), &config).unwrap(), "portal-a");
        let named = config.with_environments("a", "b");
        assert_eq!(green(&release(None), &named).unwrap(), "portal-b");
        assert_eq!(green(&release(Some(("b", "a"))), &named).unwrap(), "portal-a");
    }

    #[test]
    fn an_environment_that_is_not_there_and_one_for_both_sides_are_refused() {
        let config = EcsConfig::new("mpac");
        let unknown = config.roles(&release(Some(("blue", "red")))).unwrap_err();
        assert!(unknown.to_string().contains("`red`"), "{unknown}");
        assert!(matches!(
            config.roles(&release(Some(("blue", "blue")))),
            Err(EcsError::OneEnvironment { .. })
        ));
    }

    #[test]
    fn the_revision_stands_in_images_and_variables() {
        let service = EcsService::new("a", "b").with_image("app", "repo:{revision}").with_variable(
            "app",
            "V",
            "{revision}",
        );
        let revision = Revision::from("v2");
        assert_eq!(service.images(&revision).next(), Some(("app", "repo:v2".into())));
        assert_eq!(service.variables(&revision).next(), Some(("app", "V", "v2".into())));
    }
}
