//! One command for all of it: `demo --aws`.

use crate::rig::{mpac_deploy, ran};

#[test]
#[ignore = "the whole strategy takes half a minute: run `cargo xtask test`"]
fn one_command_shows_the_whole_strategy_on_a_simulated_aws() {
    let mut command = mpac_deploy();
    command.args(["demo", "--aws", "--speed", "250"]);
    let shown = ran(command);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    let order = [
        "95 / green 5",
        "50 / green 50",
        "0 / green 100",
        "Completed at",
        "as they were seen from outside: 100/0, 95/5, 50/50, 0/100",
    ];
    let mut rest = shown.stdout.as_str();
    for step in order {
        let at = rest.find(step).unwrap_or_else(|| panic!("no `{step}` in: {rest}"));
        rest = &rest[at + step.len()..];
    }
}
