//! Green as a copy of blue.

use serde_json::{Map, Value, json};

use super::{EcsError, Unfit, marker};

/// What AWS shows of a task definition and does not take: everything else is registered as it was.
const SHOWN_OF_DEFINITIONS: [&str; 10] = [
    "compatibilities",
    "deleteRequestedAt",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "tags",
    "taskDefinitionArn",
];

/// What of a service is copied.
const OF_SERVICES: [&str; 13] = [
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "launchType",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
    "schedulingStrategy",
];

/// What only deployments show.
const OF_DEPLOYMENTS: [&str; 2] = ["serviceConnectConfiguration", "volumeConfigurations"];

/// What a service is made with and keeps.
const FOR_GOOD: [&str; 2] = ["launchType", "schedulingStrategy"];

/// The changes that a release brings: by container, its image, or a variable's name and value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) images: Vec<(String, String)>,
    pub(super) variables: Vec<(String, String, String)>,
}

/// A task definition as it can be registered, with the changes of a release. `described` is the whole answer, tags included.
pub(super) fn definition(
    service: &str,
    described: &Value,
    changes: &Changes,
    own_tags: &[(&str, String)],
) -> Result<Map<String, Value>, EcsError> {
    let mut copy = registered(described);
    let none = |container: &String| EcsError::Unfit {
        service: service.into(),
        why: Unfit::NoContainer(container.clone()),
    };
    for (container, image) in &changes.images {
        let found = container_mut(&mut copy, container).ok_or_else(|| none(container))?;
        found.insert("image".into(), json!(image));
    }
    for (container, name, value) in &changes.variables {
        let found = container_mut(&mut copy, container).ok_or_else(|| none(container))?;
        let variables = found.entry("environment").or_insert_with(|| json!([]));
        if let Some(variables) = variables.as_array_mut() {
            match variables.iter_mut().find(|variable| variable["name"] == **name) {
                Some(variable) => variable["value"] = json!(value),
                None => variables.push(json!({ "name": name, "value": value })),
            }
        }
    }
    copy.insert("tags".into(), tags(described.get("tags"), own_tags));
    Ok(copy)
}

fn container_mut<'a>(
    definition: &'a mut Map<String, Value>,
    name: &str,
) -> Option<&'a mut Map<String, Value>> {
    let containers = definition.get_mut("containerDefinitions").and_then(Value::as_array_mut)?;
    containers.iter_mut().find(|container| container["name"] == *name).and_then(Value::as_object_mut)
}

/// What can be registered of a described task definition.
fn registered(described: &Value) -> Map<String, Value> {
    let members = described.get("taskDefinition").and_then(Value::as_object).into_iter().flatten();
    let members =
        members.filter(|(name, value)| !SHOWN_OF_DEFINITIONS.contains(&name.as_str()) && !value.is_null());
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Where what AWS has registered differs from what it was sent, as a path; what it has filled in by itself is no difference.
pub(super) fn lost(sent: &Map<String, Value>, answer: &Value) -> Option<String> {
    let got = registered(answer);
    let sent = sent.iter().filter(|(name, _)| *name != "tags");
    sent.into_iter().find_map(|(name, value)| difference(name, value, got.get(name)))
}

fn difference(path: &str, sent: &Value, got: Option<&Value>) -> Option<String> {
    match (sent, got) {
        (Value::Object(sent), Some(Value::Object(got))) => {
            sent.iter().find_map(|(name, value)| difference(&format!("{path}.{name}"), value, got.get(name)))
        }
        (Value::Array(sent), Some(Value::Array(got))) if sent.len() == got.len() => {
            // AWS may give a list back in another order.
            let same =
                |value: &&Value| got.iter().any(|other| difference(path, value, Some(other)).is_none());
            let place = sent.iter().position(|value| !same(&value))?;
            let inside = difference(&format!("{path}[{place}]"), sent.get(place)?, got.get(place));
            Some(inside.unwrap_or_else(|| format!("{path}[{place}]")))
        }
        (sent, _) if is_nothing(sent) => None,
        (sent, Some(got)) if sent == got => None,
        (_, _) => Some(path.to_owned()),
    }
}

/// Refuses a service whose tasks cannot be counted, or whose traffic ECS moves by itself.
pub(super) fn check(name: &str, service: &Value) -> Result<(), EcsError> {
    let text = |path: &str| service.pointer(path).and_then(Value::as_str);
    let why = match (text("/deploymentController/type"), text("/deploymentConfiguration/strategy")) {
        (Some(controller), _) if controller != "ECS" => Unfit::Controller(controller.into()),
        (_, Some(strategy)) if strategy != "ROLLING" => Unfit::Strategy(strategy.into()),
        (_, _) if text("/schedulingStrategy") == Some("DAEMON") => Unfit::Daemon,
        (_, _) => return Ok(()),
    };
    Err(EcsError::Unfit { service: name.into(), why })
}

/// What green is told, but for its task definition and count: what blue was told, with the target groups of green's.
pub(super) fn service(
    blue_name: &str,
    blue: &Value,
    groups: &[(&str, &str)],
) -> Result<Map<String, Value>, EcsError> {
    let mut copy = as_told(blue);
    let balancers = blue.get("loadBalancers").and_then(Value::as_array).into_iter().flatten();
    let balancers = balancers.map(|entry| {
        let arn = entry.get("targetGroupArn").and_then(Value::as_str);
        let green = groups.iter().find(|(blue, _)| Some(*blue) == arn).map(|(_, green)| *green);
        let mut entry = entry.clone();
        match green {
            Some(green) => {
                entry["targetGroupArn"] = json!(green);
                Ok(entry)
            }
            None => {
                let group = arn
                    .or_else(|| entry.get("loadBalancerName").and_then(Value::as_str))
                    .unwrap_or("nothing");
                let why = Unfit::UnknownGroup(group.into());
                Err(EcsError::Unfit { service: blue_name.into(), why })
            }
        }
    });
    copy.insert("loadBalancers".into(), balancers.collect::<Result<Value, _>>()?);
    Ok(copy)
}

/// What a service was told when it was made, but for its tasks and for where it is found.
pub(super) fn as_told(service: &Value) -> Map<String, Value> {
    let members =
        OF_SERVICES.iter().filter_map(|name| Some(((*name).to_owned(), service.get(*name)?.clone())));
    let primary = service.pointer("/deployments/0");
    let of_deployment =
        OF_DEPLOYMENTS.iter().filter_map(|name| Some(((*name).to_owned(), primary?.get(*name)?.clone())));
    let mut told: Map<String, Value> =
        members.chain(of_deployment).filter(|(_, value)| !is_nothing(value)).collect();
    if told.contains_key("capacityProviderStrategy") {
        told.remove("launchType");
    }
    told
}

/// Refuses to copy what would let others reach green past the weights.
pub(super) fn check_discovery(name: &str, blue: &Value) -> Result<(), EcsError> {
    let has = |path: &str| blue.pointer(path).is_some_and(|value| !is_nothing(value));
    let how = if has("/serviceRegistries") {
        "Cloud Map"
    } else if has("/deployments/0/serviceConnectConfiguration/services") {
        "Service Connect"
    } else if has("/deployments/0/vpcLatticeConfigurations") {
        "VPC Lattice"
    } else {
        return Ok(());
    };
    Err(EcsError::Unfit { service: name.into(), why: Unfit::Discovered(how) })
}

/// What of an existing green is other than it should be, as `UpdateService` takes it.
pub(super) fn changes(
    name: &str,
    green: &Value,
    wanted: &Map<String, Value>,
) -> Result<Map<String, Value>, EcsError> {
    let now = |member: &str| {
        let deployment = green.pointer("/deployments/0").and_then(|primary| primary.get(member));
        green.get(member).or(deployment).unwrap_or(&Value::Null)
    };
    let differs =
        |member: &str, value: &Value| value != now(member) && !(is_nothing(value) && is_nothing(now(member)));
    let strategy = wanted.get("capacityProviderStrategy");
    let found = now("launchType").as_str().filter(|_| is_nothing(now("capacityProviderStrategy")));
    if let (None, Some(launch)) = (strategy, wanted.get("launchType").and_then(Value::as_str))
        && found != Some(launch)
    {
        let found = found.unwrap_or("that of a capacity provider").to_owned();
        let why = Unfit::LaunchType { found, wanted: launch.into() };
        return Err(EcsError::Unfit { service: name.into(), why });
    }
    // What other services find green by is its own, not blue's.
    let kept = |member: &str| FOR_GOOD.contains(&member) || member == "serviceConnectConfiguration";
    let changed = wanted.iter().filter(|(member, value)| !kept(member) && differs(member, value));
    let mut changed: Map<String, Value> =
        changed.map(|(member, value)| (member.clone(), value.clone())).collect();
    if changed.contains_key("capacityProviderStrategy") {
        changed.insert("forceNewDeployment".into(), json!(true));
    }
    Ok(changed)
}

/// Tags of a resource that a copy of it has as well, and others.
pub(super) fn tags(of: Option<&Value>, others: &[(&str, String)]) -> Value {
    let copied = of.and_then(Value::as_array).into_iter().flatten();
    let copied =
        copied.filter(|tag| tag.get("key").and_then(Value::as_str).is_some_and(marker::is_copied)).cloned();
    copied.chain(others.iter().map(|(key, value)| json!({ "key": key, "value": value }))).collect()
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Value {
        json!({
            "taskDefinition": {
                "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/portal:7",
                "family": "portal", "revision": 7, "status": "ACTIVE", "registeredAt": 1.5, "registeredBy": "x",
                "compatibilities": ["FARGATE"], "requiresAttributes": [{"name": "x"}], "cpu": "256",
                "somethingNew": { "that": ["the", "SDK", "does not know"] },
                "containerDefinitions": [
                    { "name": "app", "image": "app:1", "environment": [{ "name": "A", "value": "1" }], "newer": true },
                    { "name": "side", "image": "side:1" },
                ],
            },
            "tags": [
                { "key": "team", "value": "mpac" }, { "key": "aws:cloudformation:stack-name", "value": "x" },
                { "key": "mpac-deploy:effect", "value": "3" },
            ],
        })
    }

    fn changed() -> Map<String, Value> {
        let changes = Changes {
            images: vec![("app".into(), "app:2".into())],
            variables: vec![("app".into(), "A".into(), "2".into()), ("side".into(), "B".into(), "3".into())],
        };
        definition("portal", &described(), &changes, &[("mpac-deploy:effect", "9".into())]).unwrap()
    }

    #[test]
    fn everything_that_can_be_registered_is_carried_over_and_only_what_was_asked_for_changes() {
        assert_eq!(
            Value::Object(changed()),
            json!({
                "family": "portal", "cpu": "256",
                "somethingNew": { "that": ["the", "SDK", "does not know"] },
                "containerDefinitions": [
                    { "name": "app", "image": "app:2", "environment": [{ "name": "A", "value": "2" }], "newer": true },
                    { "name": "side", "image": "side:1", "environment": [{ "name": "B", "value": "3" }] },
                ],
                "tags": [{ "key": "team", "value": "mpac" }, { "key": "mpac-deploy:effect", "value": "9" }],
            })
        );
    }

    #[test]
    fn a_container_that_is_not_there_is_named() {
        let changes = Changes { images: vec![("ap".into(), "x".into())], ..Changes::default() };
        let error = definition("portal", &described(), &changes, &[]).unwrap_err();
        assert_eq!(error.to_string(), "portal: its task definition has no container `ap`");
    }

    #[test]
    fn what_did_not_come_out_the_same_is_named_and_what_was_filled_in_is_not() {
        let sent = changed();
        let mut answer = json!({ "taskDefinition": sent });
        answer["taskDefinition"]["revision"] = json!(8);
        answer["taskDefinition"]["containerDefinitions"][0]["cpu"] = json!(0);
        answer["taskDefinition"]["containerDefinitions"].as_array_mut().unwrap().reverse();
        assert_eq!(lost(&sent, &answer), None);
        let mut without = answer.clone();
        without["taskDefinition"].as_object_mut().unwrap().remove("somethingNew");
        assert_eq!(lost(&sent, &without).as_deref(), Some("somethingNew"));
        answer["taskDefinition"]["containerDefinitions"].as_array_mut().unwrap().reverse();
        answer["taskDefinition"]["containerDefinitions"][0]["newer"] = json!(false);
        assert_eq!(lost(&sent, &answer).as_deref(), Some("containerDefinitions[0].newer"));
    }

    fn blue() -> Value {
        json!({
            "serviceArn": "x", "status": "ACTIVE", "desiredCount": 4, "roleArn": "x", "launchType": "FARGATE",
            "loadBalancers": [{ "targetGroupArn": "blue-1", "containerName": "app", "containerPort": 80 }],
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["a"] } },
            "placementConstraints": [], "schedulingStrategy": "REPLICA",
            "deployments": [{ "id": "1", "volumeConfigurations": [{ "name": "v" }] }],
        })
    }

    #[test]
    fn green_is_told_what_blue_was_told_but_for_its_target_groups() {
        let copy = service("b", &blue(), &[("blue-1", "green-1")]).unwrap();
        assert_eq!(
            Value::Object(copy),
            json!({
                "launchType": "FARGATE", "schedulingStrategy": "REPLICA",
                "loadBalancers": [{ "targetGroupArn": "green-1", "containerName": "app", "containerPort": 80 }],
                "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["a"] } },
                "volumeConfigurations": [{ "name": "v" }],
            })
        );
        let error = service("b", &blue(), &[("blue-2", "green-2")]).unwrap_err();
        assert!(error.to_string().contains("blue-1"), "{error}");
    }

    #[test]
    fn of_an_existing_green_only_what_differs_is_changed() {
        let wanted = service("b", &blue(), &[("blue-1", "green-1")]).unwrap();
        let mut green = blue();
        green["loadBalancers"][0]["targetGroupArn"] = json!("green-1");
        assert!(changes("g", &green, &wanted).unwrap().is_empty());
        green["networkConfiguration"] = json!({ "awsvpcConfiguration": { "subnets": ["b"] } });
        let changed = changes("g", &green, &wanted).unwrap();
        assert_eq!(changed.keys().collect::<Vec<_>>(), ["networkConfiguration"]);
        green["launchType"] = json!("EC2");
        assert!(matches!(
            changes("g", &green, &wanted),
            Err(EcsError::Unfit { why: Unfit::LaunchType { .. }, .. })
        ));
    }

    #[test]
    fn a_service_that_others_find_by_name_is_not_copied() {
        assert!(check_discovery("b", &blue()).is_ok());
        let mut found = blue();
        found["serviceRegistries"] = json!([{ "registryArn": "x" }]);
        assert!(check_discovery("b", &found).unwrap_err().to_string().contains("Cloud Map"));
        let mut found = blue();
        found["deployments"][0]["serviceConnectConfiguration"] =
            json!({ "enabled": true, "services": [{ "portName": "http" }] });
        assert!(check_discovery("b", &found).unwrap_err().to_string().contains("Service Connect"));
    }

    #[test]
    fn what_deploys_or_counts_otherwise_is_refused() {
        for (member, value, says) in [
            ("deploymentController", json!({ "type": "CODE_DEPLOY" }), "CODE_DEPLOY"),
            ("deploymentConfiguration", json!({ "strategy": "BLUE_GREEN" }), "BLUE_GREEN"),
            ("schedulingStrategy", json!("DAEMON"), "DAEMON"),
        ] {
            let mut service = blue();
            service[member] = value;
            let error = check("b", &service).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(check("b", &blue()).is_ok());
    }
}
