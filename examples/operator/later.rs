//! Commands that a later version brings. They are named here, so that who types one learns why it is not there.

use std::ffi::OsString;

const ACT_ON_A_WORLD: [&str; 8] =
    ["run", "status", "watch", "pause", "resume", "promote", "abort", "history"];

/// Why the command that is asked for is not there, if it is one of a later version.
pub(crate) fn why_absent(arguments: &[OsString]) -> Option<String> {
    let name = arguments.iter().skip(1).find_map(|argument| {
        let text = argument.to_str()?;
        (!text.starts_with('-')).then_some(text)
    })?;
    let version = env!("CARGO_PKG_VERSION");
    if cfg!(not(feature = "aws")) && name == "infra" {
        return Some(
            "`infra` is not in this build: it comes with the feature `aws` (`cargo build --features aws`)"
                .into(),
        );
    }
    ACT_ON_A_WORLD.contains(&name).then(|| {
        format!(
            "`{name}` is not in this build: it acts on a real world, and version {version} has no adapter for one; it comes \
             with the feature `aws` in a later version. `simulate` and `backtest` run the same decisions without a world"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<String> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        why_absent(&arguments)
    }

    #[test]
    fn a_command_of_a_later_version_says_which_feature_brings_it() {
        assert!(asked("mpac-deploy --json run --config a.toml").unwrap().contains("feature `aws`"));
        assert_eq!(asked("mpac-deploy infra check a.tf").is_none(), cfg!(feature = "aws"));
    }

    #[test]
    fn an_argument_of_the_same_name_is_no_command() {
        assert_eq!(asked("mpac-deploy simulate --scenario run"), None);
        assert_eq!(asked("mpac-deploy"), None);
    }
}
