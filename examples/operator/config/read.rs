//! The file as text: every error names its line and the path of the field.

use super::Config;

/// Reads a configuration.
pub(super) fn config(text: &str) -> Result<Config, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let deserializer = toml::Deserializer::parse(text).map_err(|error| said(text, "", &error))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        said(text, if path == "." { "" } else { &path }, error.inner())
    })
}

fn said(text: &str, path: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
    format!("{line}{path}{}", error.message().trim().replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Colour, Traffic};

    const LEAST: &str = r#"
service = "smartpos"

[ecs]
cluster = "mpac"

[[ecs.services]]
name = "svc-portal"
container = "app"
image = "registry/svc-portal:{revision}"

[traffic.route53]
hosted_zone_id = "Z1"
record = "api.mpac-cloud.com"

[journal.dynamodb]
table = "mpac-deploy"
"#;

    fn refused(text: &str) -> String {
        match config(text) {
            Ok(config) => config.check().unwrap_err(),
            Err(error) => error,
        }
    }

    #[test]
    fn the_least_that_must_be_said_is_enough() {
        let config = config(LEAST).unwrap();
        config.check().unwrap();
        let service = &config.ecs.services[0];
        assert_eq!(Config::ecs_service(service, Colour::Green), "svc-portal-green");
        assert_eq!(Config::target_group(service, Colour::Blue).as_deref(), Some("svc-portal-blue"));
        assert_eq!(config.record_set(Colour::Blue), "blue-environment");
        assert!(matches!(config.traffic, Traffic::Route53(_)));
    }

    #[test]
    fn an_error_names_its_line_and_its_path() {
        for (from, to, expected) in [
            ("cluster", "clutser", "line 5: ecs.clutser: unknown field `clutser`"),
            ("record = ", "# record = ", "line 12: traffic.route53: missing field `record`"),
            (
                ":{revision}",
                ":latest",
                "line 10: ecs.services[0].image: `registry/svc-portal:latest` must hold {revision} once",
            ),
            (
                "table = \"mpac-deploy\"",
                "table = 7",
                "line 17: journal.dynamodb.table: invalid type: integer `7`",
            ),
            ("[journal.dynamodb]", "[journal.redis]", "line 16: journal: unknown variant `redis`"),
            ("service = \"smartpos\"", "service = ", "line 2: "),
        ] {
            let error = refused(&LEAST.replacen(from, to, 1));
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        let memory = LEAST.replace("[journal.dynamodb]\ntable = \"mpac-deploy\"", "").replacen(
            "[ecs]",
            "journal = \"memory\"\n[ecs]",
            1,
        );
        assert!(
            refused(&memory).contains("in memory it would be lost with its process"),
            "{}",
            refused(&memory)
        );
        let shared = LEAST.replace("container", "service = \"svc-portal\"\ncontainer");
        assert!(
            refused(&shared)
                .starts_with("ecs.services[0].service: `svc-portal` is that of both environments")
        );
        let twice = format!("{LEAST}[[checks]]\nname = \"smoke\"\nhttp = \"http://x/\"\n").repeat(1)
            + "[[checks]]\nname = \"smoke\"\nconnect = \"x:1\"\n";
        assert_eq!(refused(&twice), "checks: `smoke` stands there twice");
        let how = format!("{LEAST}[[checks]]\nname = \"smoke\"\n");
        assert!(refused(&how).contains("checks[0]: say how to ask by exactly one of"), "{}", refused(&how));
        let rule = LEAST.replace(
            "[traffic.route53]\nhosted_zone_id = \"Z1\"\nrecord = \"api.mpac-cloud.com\"",
            "[traffic.listener-rule]\nrule = \"arn\"\nrecord = \"x\"\nservice = \"other\"",
        );
        assert!(refused(&rule).starts_with("traffic.listener-rule.service: there is no service `other`"));
    }
}
