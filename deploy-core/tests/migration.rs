//! The two phases of a release's migrations, and what a rollback may still do at every point of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod rig;

use mpac_deploy_core::decision::DecisionKind;
use mpac_deploy_core::effect::EffectKind;
use mpac_deploy_core::ids::ServiceName;
use mpac_deploy_core::machine::{Cause, CommandKind, Contracting, Outcome, Phase, Rejected, RollbackStep};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::migration::{Class, Migrations, SchemaFit, Statement, Step};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{IssueKind, mpac};
use rig::Rig;

fn step(service: &str, from: &str, to: &str, class: Class) -> Step {
    let statement = Statement { place: format!("{to}.sql:1"), text: "ALTER TABLE t ...".into(), class };
    Step {
        service: service.into(),
        from: from.into(),
        to: to.into(),
        statements: vec![statement],
        adds: vec!["t.new".into()],
    }
}

fn release() -> Release {
    let expand = vec![step("a", "1", "2", Class::Expand), step("b", "7", "8", Class::Expand)];
    let contract = vec![step("a", "2", "3", Class::Contract), step("b", "8", "9", Class::Contract)];
    Release { migrations: Migrations { expand, contract }, flags: vec!["new-flow".into()], ..rig::release() }
}

fn rig() -> Rig {
    Rig::of(release())
}

fn baking(stage: usize) -> Rig {
    let mut rig = rig();
    rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Baking(baking) if baking.stage == stage));
    rig
}

fn contracting() -> Rig {
    let mut rig = rig();
    rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Contracting(_)));
    rig
}

const fn abort(issue: IssueKind, force: bool) -> CommandKind {
    CommandKind::Abort { issue, force }
}

fn version(rig: &Rig, service: &str) -> String {
    rig.versions[&ServiceName::from(service)].to_string()
}

fn names(rig: &Rig) -> Vec<&'static str> {
    rig.done.iter().map(|kind| kind.name()).collect()
}

#[test]
fn the_schema_is_expanded_before_green_starts_and_contracted_a_day_after_the_cutover() {
    let mut rig = rig();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    assert_eq!((version(&rig, "a").as_str(), version(&rig, "b").as_str()), ("3", "9"));
    let order = names(&rig);
    let place = |name| order.iter().position(|done| *done == name).unwrap();
    assert_eq!(order[1..6], ["migrate", "read-schema", "migrate", "read-schema", "provision"]);
    assert!(place("retire-blue") < order.iter().rposition(|done| *done == "migrate").unwrap());
    let at = |kind| rig.decisions.iter().rfind(|decision| decision.kind == kind).unwrap().at;
    let waited = at(DecisionKind::Migrated).since(at(DecisionKind::Bake));
    assert!((24..=25).contains(&(waited.as_secs() / 3600)), "{waited:?}");
    assert!(matches!(rig.rollout.schema(), SchemaFit::GreenOnly { since } if since.service.as_str() == "a"));
}

#[test]
fn a_step_that_fails_brings_those_before_it_back_and_no_traffic_moves() {
    let mut rig = rig();
    rig.run_until(|rig| rig.kinds().contains(&DecisionKind::Migrated));
    rig.refuse = Some("migrate");
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::Abandoned { .. })));
    assert_eq!(version(&rig, "a"), "1");
    assert!(rig.weights_set.is_empty() && !rig.did("provision"));
    assert_eq!(rig.rollout.schema(), &SchemaFit::FitsBlue { expanded: 0 });
}

#[test]
fn a_step_that_cannot_be_brought_back_is_left_and_said() {
    let mut rig = rig();
    rig.run_until(|rig| rig.kinds().contains(&DecisionKind::Migrated));
    rig.refuse = Some("migrate");
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind.name() == "undo-migration"));
    rig.refuse = Some("undo-migration");
    rig.run_to_end();
    assert!(rig.last_reason().contains("left as it is"), "{}", rig.last_reason());
    assert!(rig.last_reason().contains("stays expanded"), "{}", rig.last_reason());
}

#[test]
fn the_database_has_the_last_word_on_its_version() {
    let mut rig = rig();
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind.name() == "read-schema"));
    rig.versions.insert("a".into(), "1".into());
    rig.run_to_end();
    assert!(rig.last_reason().contains("is at 1 after the migration to 2"), "{}", rig.last_reason());
}

#[test]
fn a_traffic_rollback_leaves_the_schema_expanded() {
    let mut rig = baking(1);
    rig.command(abort(IssueKind::HighErrorRate, false)).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(version(&rig, "a"), "2");
    assert!(!rig.did("undo-migration") && !rig.did("stop-green"));
}

#[test]
fn a_database_rollback_moves_traffic_first_then_stops_green_then_undoes_the_latest_first() {
    let mut rig = baking(1);
    rig.command(abort(IssueKind::DatabaseCorruption, false)).unwrap();
    rig.run_to_end();
    assert_eq!((version(&rig, "a").as_str(), version(&rig, "b").as_str()), ("1", "7"));
    let order = names(&rig);
    let since = order.iter().rposition(|done| *done == "set-weights").unwrap();
    let schema: Vec<&str> = order[since..]
        .iter()
        .copied()
        .filter(|name| !["read-weights", "confirm-weights"].contains(name))
        .collect();
    let undo = ["find-written", "undo-migration", "read-schema"];
    assert_eq!(schema, [&["set-weights", "stop-green"][..], &undo, &undo].concat());
    assert_eq!(rig.rollout.schema(), &SchemaFit::FitsBlue { expanded: 0 });
}

#[test]
fn what_was_written_to_new_columns_is_not_dropped_without_a_person() {
    let mut rig = baking(1);
    rig.written = vec!["t.new".into()];
    rig.command(abort(IssueKind::DatabaseCorruption, false)).unwrap();
    while rig.step().is_some() {}
    assert!(
        matches!(rig.rollout.phase(), Phase::RollingBack(back) if matches!(back.step, RollbackStep::HeldBySchema { .. }))
    );
    assert!(rig.last_reason().contains("data was written to t.new"), "{}", rig.last_reason());
    assert_eq!(rig.observed.green, 0);
    assert_eq!(rig.command(abort(IssueKind::DatabaseCorruption, false)), Err(Rejected::RollingBack));
    rig.command(abort(IssueKind::DatabaseCorruption, true)).unwrap();
    rig.written.clear();
    rig.run_to_end();
    assert_eq!(version(&rig, "b"), "7");
}

#[test]
fn a_person_can_end_the_rollback_and_leave_the_schema_expanded() {
    let mut rig = baking(1);
    rig.refuse = Some("undo-migration");
    rig.command(abort(IssueKind::DatabaseCorruption, false)).unwrap();
    while rig.step().is_some() {}
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })));
    assert_eq!(version(&rig, "b"), "8");
}

#[test]
fn before_the_schema_is_contracted_blue_can_be_started_again() {
    let mut rig = contracting();
    rig.command(abort(IssueKind::HighErrorRate, false)).unwrap();
    rig.run_to_end();
    assert!(rig.did("revive-blue"));
    assert_eq!(rig.observed.blue, 100);
    assert_eq!(version(&rig, "a"), "2");
}

#[test]
fn once_the_schema_is_contracted_there_is_no_way_back_to_blue_but_a_flag_can_be_switched_off() {
    let mut rig = rig();
    rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Contracting(Contracting::Applying { .. })));
    let refused = rig.command(abort(IssueKind::HighErrorRate, true));
    assert!(
        matches!(&refused, Err(Rejected::NoWayBack(why)) if why.contains("repair forward")),
        "{refused:?}"
    );
    rig.run_to_end();
    assert!(matches!(rig.command(abort(IssueKind::DatabaseCorruption, true)), Err(Rejected::NoWayBack(_))));
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_to_end();
    assert!(rig.did("switch-off") && rig.did("read-flag"));
    assert!(matches!(rig.command(abort(IssueKind::FeatureBug, false)), Err(Rejected::NoWayBack(_))));
    assert_eq!(rig.observed.green, 100);
}

#[test]
fn a_contraction_that_fails_waits_for_a_person() {
    let mut rig = contracting();
    rig.refuse = Some("migrate");
    while rig.step().is_some() {}
    assert!(matches!(rig.rollout.phase(), Phase::Contracting(Contracting::Held { .. })));
    rig.refuse = None;
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert_eq!(version(&rig, "b"), "9");
}

#[test]
fn a_person_can_end_the_rollout_without_the_rest_of_the_contraction() {
    let mut rig = contracting();
    rig.refuse = Some("migrate");
    while rig.step().is_some() {}
    assert!(matches!(rig.command(CommandKind::Promote { force: false }), Err(Rejected::NotBaking(_))));
    rig.command(CommandKind::Promote { force: true }).unwrap();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    assert_eq!(version(&rig, "a"), "2");
}

#[test]
fn a_pause_stops_the_contraction_and_a_resumption_goes_on_with_it() {
    let mut rig = contracting();
    rig.command(CommandKind::Pause).unwrap();
    rig.run_minutes(48 * 60);
    assert_eq!(version(&rig, "a"), "2");
    rig.clock = rig.clock.after(core::time::Duration::from_secs(48 * 3600));
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert_eq!(version(&rig, "a"), "3");
}

#[test]
fn weights_that_somebody_else_changed_stop_the_contraction() {
    let mut rig = contracting();
    rig.observed.blue = 30;
    rig.run_minutes(48 * 60);
    assert_eq!(version(&rig, "a"), "2");
    assert!(rig.kinds().contains(&DecisionKind::Pause));
    // Whoever resumes it must have set them back: they are read anew.
    rig.clock = rig.clock.after(core::time::Duration::from_secs(48 * 3600));
    rig.command(CommandKind::Resume).unwrap();
    while rig.step().is_some() {}
    assert_eq!(version(&rig, "a"), "2");
    rig.observed.blue = 0;
    rig.command(CommandKind::Resume).unwrap();
    rig.run_to_end();
    assert_eq!(version(&rig, "a"), "3");
}

#[test]
fn a_schema_that_is_not_where_it_was_undone_to_holds_the_rollback() {
    let mut rig = baking(1);
    rig.command(abort(IssueKind::DatabaseCorruption, false)).unwrap();
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind.name() == "read-schema"));
    rig.versions.insert("b".into(), "8".into());
    while rig.step().is_some() {}
    assert!(rig.last_reason().contains("is at 8 after it was undone to 7"), "{}", rig.last_reason());
    assert_eq!((rig.rollout.outcome(), rig.observed.green), (None, 0));
}

#[test]
fn a_schema_that_is_not_where_it_was_contracted_to_holds_the_rollout() {
    let mut rig = contracting();
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind.name() == "read-schema"));
    rig.versions.insert("a".into(), "2".into());
    while rig.step().is_some() {}
    assert!(rig.last_reason().contains("is at 2 after the migration to 3"), "{}", rig.last_reason());
    assert!(matches!(rig.rollout.phase(), Phase::Contracting(Contracting::Held { .. })));
}

#[test]
fn a_feature_bug_switches_the_flag_off_and_traffic_stays() {
    let mut rig = baking(1);
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_minutes(5);
    assert!(rig.did("switch-off") && rig.did("read-flag"));
    assert_eq!((rig.observed.blue, rig.observed.green), (50, 50));
    // It was not enough: the same command again takes the release back.
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_to_end();
    assert_eq!(rig.observed.green, 0);
}

#[test]
fn a_flag_that_cannot_be_switched_off_takes_the_release_back() {
    let mut rig = baking(1);
    rig.refuse = Some("switch-off");
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_to_end();
    assert_eq!(rig.observed.green, 0);
}

/// Found by killing a controller at every point: a person who got no answer says it again while the flag is still on.
#[test]
fn a_release_that_is_taken_back_while_its_flag_is_switched_off_comes_to_an_end() {
    let mut rig = baking(1);
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })), "{:?}", rig.rollout.phase());
    assert_eq!(rig.observed.green, 0);
}

#[test]
fn a_trigger_that_fires_while_a_flag_is_switched_off_takes_the_release_back_to_an_end() {
    let mut rig = baking(1);
    rig.metric(Metric::Http5xx, 50.0);
    let switching_off = rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.lose(&switching_off.run[0].id);
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::RolledBack { cause: Cause::Rule("http-5xx".into()) }));
}

#[test]
fn a_flag_that_is_being_switched_off_still_is_after_blue_was_retired() {
    let mut rig = Rig::of(Release { flags: vec!["new-flow".into()], ..rig::release() });
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind == EffectKind::RetireBlue));
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_to_end();
    assert!(rig.did("switch-off") && rig.did("read-flag"));
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
}

#[test]
fn a_flag_that_cannot_be_switched_off_on_a_contracted_schema_leaves_traffic_on_green() {
    let mut rig = rig();
    rig.run_to_end();
    let set = rig.weights_set.len();
    rig.refuse = Some("switch-off");
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.run_to_end();
    assert_eq!(rig.rollout.outcome(), Some(&Outcome::Completed));
    assert_eq!((rig.weights_set.len(), rig.observed.green), (set, 100));
    assert!(!rig.did("revive-blue"));
    assert!(rig.last_reason().contains("no way back to blue"), "{}", rig.last_reason());
}

#[test]
fn a_flag_that_stays_on_takes_the_release_back_after_some_looks() {
    let mut rig = baking(1);
    rig.flag_stays_on = true;
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    let before = rig.done.len();
    rig.run_to_end();
    assert_eq!(rig.observed.green, 0);
    let switched = rig.done[before..].iter().filter(|kind| kind.name() == "switch-off").count();
    assert!((2..=10).contains(&switched), "{switched}");
}

#[test]
fn a_rollback_while_a_flag_is_switched_off_leaves_nothing_to_wait_for() {
    let mut rig = baking(1);
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    let is_of_the_flag =
        |rig: &Rig| rig.rollout.outstanding().any(|effect| effect.kind.name() == "switch-off");
    assert!(is_of_the_flag(&rig));
    rig.command(abort(IssueKind::HighErrorRate, false)).unwrap();
    assert!(!is_of_the_flag(&rig));
    rig.run_to_end();
    assert!(matches!(rig.rollout.outcome(), Some(Outcome::RolledBack { .. })), "{:?}", rig.rollout.outcome());
    assert_eq!(rig.observed.green, 0);
    assert!(!rig.did("switch-off"));
}

#[test]
fn a_flag_is_switched_off_though_blue_is_retired_meanwhile() {
    let mut rig = rig();
    rig.run_until(|rig| rig.pending().is_some_and(|effect| effect.kind.name() == "retire-blue"));
    rig.command(abort(IssueKind::FeatureBug, false)).unwrap();
    rig.command(CommandKind::Resume).unwrap();
    rig.run_until(|rig| matches!(rig.rollout.phase(), Phase::Contracting(_)));
    rig.run_to_end();
    assert!(rig.did("switch-off") && rig.did("read-flag"));
}

#[test]
fn a_statement_in_the_wrong_phase_is_refused_before_anything_is_done() {
    let mut wrong = release();
    wrong.migrations.expand[1].statements[0].class = Class::Contract;
    let error = mpac().compile(wrong).unwrap_err().to_string();
    assert!(
        error.contains("release.migrations.expand[1].statements[0]") && error.contains("8.sql:1"),
        "{error}"
    );
}
