//! The configuration that leads to a simulated AWS.

/// The file that a person starts from, with the names of the platform that stands there.
const EXAMPLE: &str = include_str!("../../mpac-deploy.toml");

/// What stands in the example in place of the endpoints of the environments, and of what the standard environment says.
const CHECKED: &str = "https://{environment}.mpac-cloud.internal";
const REGION: &str = "region = \"us-east-1\"\n";

/// The example file, leading to a simulated AWS at this address.
pub(super) fn leading_to(url: &str) -> String {
    let checked = EXAMPLE.replace(CHECKED, &format!("{url}/world"));
    checked.replacen(REGION, &format!("{REGION}endpoint_url = \"{url}\"\n"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_example_is_one_and_leads_where_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mpac-deploy.toml");
        std::fs::write(&path, EXAMPLE).unwrap();
        let example = Config::load(&path).unwrap();
        assert_eq!(example.aws.endpoint_url, None);
        std::fs::write(&path, leading_to("http://127.0.0.1:4566")).unwrap();
        let led = Config::load(&path).unwrap();
        assert_eq!(led.aws.endpoint_url.as_deref(), Some("http://127.0.0.1:4566"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("http://127.0.0.1:4566/world/checks/").count(), led.checks.len());
        assert!(!text.contains(CHECKED));
    }
}
