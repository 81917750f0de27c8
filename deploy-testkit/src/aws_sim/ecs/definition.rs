//! Task definitions: families of revisions, of which each stays as it was registered.

use mpac_deploy_core::port::Clock;
use serde_json::{Map, Value, json};

use super::super::Shared;
use super::super::wire::{Call, Refusal};
use super::json::{Given, answer, list, text, time};
use super::tags::{self, Tags};
use super::{Ecs, OWNER, client_error, invalid};

/// What can be registered; everything else that is shown, AWS adds.
const REGISTERED: [&str; 17] = [
    "containerDefinitions",
    "cpu",
    "enableFaultInjection",
    "ephemeralStorage",
    "executionRoleArn",
    "family",
    "inferenceAccelerators",
    "ipcMode",
    "memory",
    "networkMode",
    "pidMode",
    "placementConstraints",
    "proxyConfiguration",
    "requiresCompatibilities",
    "runtimePlatform",
    "taskRoleArn",
    "volumes",
];

/// One revision.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) shown: Map<String, Value>,
    pub(super) tags: Tags,
}

impl Definition {
    pub(super) fn arn(&self) -> &str {
        text(&self.shown, "taskDefinitionArn").unwrap_or_default()
    }

    pub(super) fn containers(&self) -> impl Iterator<Item = &Map<String, Value>> {
        list(&self.shown, "containerDefinitions").iter().filter_map(Value::as_object)
    }

    pub(super) fn is_awsvpc(&self) -> bool {
        text(&self.shown, "networkMode") == Some("awsvpc")
    }
}

impl Ecs {
    /// The revision of `family`, `family:revision` or an ARN; the latest one if none is named.
    pub(super) fn definition(&self, name: &str) -> Option<&Definition> {
        let (family, place) = self.place_of(name)?;
        self.definitions.get(&family)?.get(place)
    }

    pub(super) fn definition_mut(&mut self, name: &str) -> Option<&mut Definition> {
        let (family, place) = self.place_of(name)?;
        self.definitions.get_mut(&family)?.get_mut(place)
    }

    fn place_of(&self, name: &str) -> Option<(String, usize)> {
        let name = name.rsplit(":task-definition/").next()?;
        let (family, revision) =
            name.split_once(':').map_or((name, None), |(family, number)| (family, Some(number)));
        let revisions = self.definitions.get(family)?.len();
        let place = match revision {
            Some(number) => number.parse::<usize>().ok()?.checked_sub(1)?,
            None => revisions.checked_sub(1)?,
        };
        (place < revisions).then(|| (family.to_owned(), place))
    }

    /// Registers what is valid.
    pub(super) fn register(&mut self, given: &Given, at: Value) -> Result<&Definition, Refusal> {
        check(given)?;
        let tags = tags::read(given)?;
        let family = given.needed("family")?.to_owned();
        let revisions = self.definitions.entry(family.clone()).or_default();
        let revision = revisions.len() + 1;
        let mut shown = with_defaults(given);
        let fargate = given.texts("requiresCompatibilities").contains(&"FARGATE");
        let compatibilities = if fargate { json!(["EC2", "FARGATE"]) } else { json!(["EC2"]) };
        for (name, value) in [
            ("taskDefinitionArn", json!(format!("{OWNER}:task-definition/{family}:{revision}"))),
            ("revision", json!(revision)),
            ("status", json!("ACTIVE")),
            ("requiresAttributes", json!([{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}])),
            ("compatibilities", compatibilities),
            ("registeredAt", at),
            ("registeredBy", json!("arn:aws:iam::123456789012:user/tester")),
        ] {
            shown.insert(name.into(), value);
        }
        revisions.push(Definition { shown, tags });
        revisions.last().ok_or_else(|| Refusal::new(500, "ServerException", "the revision was lost"))
    }
}

fn check(given: &Given) -> Result<(), Refusal> {
    let family = given.needed("family")?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if family.len() > 255 || !family.chars().all(fits) {
        return Err(client_error("Family contains invalid characters."));
    }
    let containers = list(&given.0, "containerDefinitions");
    if containers.is_empty() {
        return Err(client_error("Container list cannot be empty."));
    }
    for container in containers {
        let container = container.as_object().ok_or_else(|| invalid("A container must be an object"))?;
        if text(container, "name").unwrap_or_default().is_empty() {
            return Err(client_error("Container.name should not be null or empty."));
        }
        if text(container, "image").unwrap_or_default().is_empty() {
            return Err(client_error("Container.image should not be null or empty."));
        }
        if !(given.has("memory")
            || container.contains_key("memory")
            || container.contains_key("memoryReservation"))
        {
            let name = text(container, "name").unwrap_or_default();
            return Err(client_error(format!(
                "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
            )));
        }
    }
    if given.texts("requiresCompatibilities").contains(&"FARGATE") {
        if !(given.has("cpu") && given.has("memory")) {
            return Err(client_error("Fargate requires that 'cpu' be defined at the task level."));
        }
        if given.text("networkMode") != Some("awsvpc") {
            return Err(client_error("Fargate only supports network mode ‘awsvpc’."));
        }
    }
    Ok(())
}

/// What is shown of what was registered: with the members that AWS fills in.
fn with_defaults(given: &Given) -> Map<String, Value> {
    let known =
        given.0.iter().filter(|(name, value)| REGISTERED.contains(&name.as_str()) && !value.is_null());
    let mut shown: Map<String, Value> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    for name in ["volumes", "placementConstraints"] {
        shown.entry(name).or_insert_with(|| json!([]));
    }
    let awsvpc = given.text("networkMode") == Some("awsvpc");
    let containers = shown.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        container.entry("cpu").or_insert_with(|| json!(0));
        container.entry("essential").or_insert_with(|| json!(true));
        for name in ["environment", "mountPoints", "portMappings", "systemControls", "volumesFrom"] {
            container.entry(name).or_insert_with(|| json!([]));
        }
        let ports = container.get_mut("portMappings").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            port.entry("protocol").or_insert_with(|| json!("tcp"));
            let host = if awsvpc { port.get("containerPort").cloned().unwrap_or_default() } else { json!(0) };
            port.entry("hostPort").or_insert(host);
        }
    }
    shown
}

pub(in crate::aws_sim) fn register_task_definition(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let mut account = shared.account.get();
    let made = account.ecs.register(&given, time(shared.clock.now()))?;
    let mut shown = json!({ "taskDefinition": made.shown });
    if !made.tags.is_empty() {
        shown["tags"] = tags::written(&made.tags);
    }
    answer(&shown)
}

pub(in crate::aws_sim) fn describe_task_definition(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let given = Given::of(call)?;
    let name = given.needed("taskDefinition")?;
    let account = shared.account.get();
    let unknown = || client_error("Unable to describe task definition.");
    let found = account.ecs.definition(name).ok_or_else(unknown)?;
    let mut shown = json!({ "taskDefinition": found.shown });
    if given.texts("include").contains(&"TAGS") {
        shown["tags"] = tags::written(&found.tags);
    }
    answer(&shown)
}
