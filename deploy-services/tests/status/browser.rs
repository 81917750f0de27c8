//! The page in a browser, as a person uses it: watch a rollout, press abort, see it roll back.

mod chromium;

use std::time::Duration;

use chromium::Browser;
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::machine::{Cause, Outcome};
use mpac_deploy_core::policy::IssueKind;
use mpac_deploy_testkit::scenario;
use serde_json::json;

use super::rig::{Rig, TOKEN, token};

/// A minute of the world in a sixth of a second.
const SPEED: u32 = 360;

/// A name that would be a script if anything took it for markup.
const EVIL: &str =
    "shop<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: `cargo xtask test` sets CHROMIUM"]
async fn a_person_watches_a_rollout_presses_abort_and_sees_it_roll_back() {
    let Some(program) = std::env::var_os("CHROMIUM") else {
        println!("skipped: CHROMIUM names no browser");
        return;
    };
    let mut release = scenario::release();
    release.service = EVIL.into();
    let rig = Rig::of(SPEED, release, |page, inbox| page.with_commands_by(token(), inbox)).await;
    let mut page = Browser::start(&program);
    page.open(&format!("http://{}/", rig.address));

    page.wait_for("document.querySelector('main .badge')?.textContent === 'half: baking'");
    page.wait_for("document.querySelectorAll('.plot svg .line.green').length >= 5");
    let bar = "[...document.querySelectorAll('main .weights > div')].map((part) => part.textContent)";
    page.wait_for(&format!("JSON.stringify({bar}) === '[\"blue 50\",\"green 50\"]'"));
    page.picture("watching");
    page.dark();
    page.picture("watching-dark");

    page.click("#do-abort");
    page.type_into("#ask-why", "customers call");
    page.type_into("#ask-by", "ada");
    page.type_into("#ask-token", "not-the-token-of-it");
    page.click("#ask-send");
    page.wait_for("document.querySelector('#ask-answer').textContent.startsWith('Choose what was seen')");
    page.choose("#ask-because", "customer-reports");
    page.wait_for("document.querySelector('#ask-way').textContent === 'All traffic goes back to blue.'");
    page.click("#ask-send");
    page.wait_for(
        "document.querySelector('#ask-answer').textContent === 'That is not the token of this page.'",
    );
    page.picture("asking");
    page.type_into("#ask-token", TOKEN);
    page.click("#ask-send");
    page.wait_for("!document.querySelector('#ask').open");
    page.wait_for("document.querySelector('main .badge').textContent === 'rolled back'");
    page.wait_for(&format!("JSON.stringify({bar}) === '[\"blue 100\"]'"));
    page.wait_for("document.querySelector('nav .badge').textContent === 'rolled back'");
    assert_eq!(
        page.run("document.querySelector('main .notice').textContent"),
        json!("ada: customer-reports: customers call")
    );
    assert_eq!(page.run("document.querySelector('#do-pause').disabled"), json!(true));
    page.picture("rolled-back-dark");
    page.narrow();
    page.picture("rolled-back-narrow");

    // What the page says is what happened.
    let records = rig.journal.records(&RolloutId::from(super::ID));
    let rollout = mpac_deploy_core::journal::replay(&records).unwrap();
    let cause = Cause::Person { by: "ada".into(), issue: IssueKind::HighErrorRate };
    assert_eq!(rollout.outcome(), Some(&Outcome::RolledBack { cause }));

    // A name is a name.
    assert_eq!(page.run("document.title"), json!("Rollouts"));
    assert_eq!(
        page.run("document.querySelectorAll('main img, main script, nav img, nav script').length"),
        json!(0)
    );
    assert_eq!(page.run("document.querySelector('nav .name span').textContent"), json!(EVIL));
    // And a script that got in all the same would not run.
    page.run("const tag = document.createElement('script'); tag.textContent = \"document.title = 'owned'\"; document.body.append(tag)");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(page.run("document.title"), json!("Rollouts"));
    let complaints = page.complaints();
    assert!(complaints.iter().all(|said| said.contains("Content Security Policy")), "{complaints:?}");
    assert_eq!(complaints.len(), 1, "of the script that got in, and of nothing else: {complaints:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: `cargo xtask test` sets CHROMIUM"]
async fn a_person_sees_that_a_step_waits_and_approves_of_it() {
    let Some(program) = std::env::var_os("CHROMIUM") else {
        println!("skipped: CHROMIUM names no browser");
        return;
    };
    let rig = Rig::with_approval(SPEED).await;
    let mut page = Browser::start(&program);
    page.open(&format!("http://{}/", rig.address));
    page.wait_for("document.querySelector('main .badge')?.textContent === 'canary: baking'");
    assert_eq!(page.run("document.querySelector('#do-approve')"), json!(null));
    page.wait_for("document.querySelector('main .badge').textContent === 'waits for approval'");
    let notice = "document.querySelector('#awaits-approval').textContent";
    page.wait_for(&format!(
        "{notice}.startsWith('Waits for approval of half (green 50 %). Without one by ')"
    ));
    page.picture("waits-for-approval");
    page.click("#do-approve");
    assert_eq!(
        page.run("document.querySelector('#ask-text').textContent"),
        json!("Lets the step be made that waits for it: half (green 50 %).")
    );
    page.type_into("#ask-by", "ada");
    page.type_into("#ask-token", TOKEN);
    page.picture("approving");
    page.click("#ask-send");
    page.wait_for("!document.querySelector('#ask').open");
    page.wait_for("document.querySelector('main .badge').textContent === 'half: baking'");
    page.wait_for(
        "[...document.querySelectorAll('.decisions .reason')].some((of) => of.textContent.startsWith('ada approves of half'))",
    );
    assert_eq!(page.run("document.querySelector('#awaits-approval')"), json!(null));
    assert_eq!(page.complaints(), Vec::<String>::new());
    let approved = rig.handle.status().approvals().to_vec();
    assert_eq!((approved.len(), approved[0].by.as_str()), (1, "ada"));
}
