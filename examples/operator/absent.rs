//! Commands of another build. They are named here, so that who types one learns what brings it.

use std::ffi::OsString;

/// What the feature `aws` brings.
const ON_AWS: [&str; 4] = ["run", "plan", "sim-aws", "infra"];

/// Why the command that is asked for is not there, if it is one of another build.
pub(crate) fn why_absent(arguments: &[OsString]) -> Option<String> {
    let mut words = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    let name = words.find(|word| !word.starts_with('-'))?;
    let next = words.next();
    if cfg!(not(feature = "aws")) && ON_AWS.contains(&name) {
        return Some(format!(
            "`{name}` is not in this build: it comes with the feature `aws` (`cargo build --features aws`). `simulate` and `backtest` \
             make the same decisions without a world"
        ));
    }
    (cfg!(not(feature = "database")) && (name, next) == ("migrations", Some("rehearse"))).then(|| {
        "`migrations rehearse` is not in this build: it comes with the feature `database` (`cargo build --features database`). \
         `migrations check` and `checklist` read the files without a database"
            .to_owned()
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
    fn a_command_of_another_build_says_which_feature_brings_it() {
        assert_eq!(asked("mpac-deploy run --config a.toml").is_none(), cfg!(feature = "aws"));
        assert_eq!(asked("mpac-deploy infra check a.tf").is_none(), cfg!(feature = "aws"));
        assert_eq!(asked("mpac-deploy migrations rehearse a").is_none(), cfg!(feature = "database"));
        assert_eq!(asked("mpac-deploy migrations check rehearse"), None);
    }

    #[test]
    fn an_argument_of_the_same_name_is_no_command() {
        assert_eq!(asked("mpac-deploy simulate --scenario run"), None);
        assert_eq!(asked("mpac-deploy"), None);
    }
}
