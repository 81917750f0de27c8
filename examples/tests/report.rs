//! The report in a browser, as a person opens it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::ffi::OsString;
use std::process::Command;

use common::{Folder, run, text};

/// A browser that is told to stay off the network and out of the home of whoever runs the tests.
fn dump(browser: &OsString, profile: &str, file: &str) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={profile}"))
        .args(["--window-size=1200,2000", "--dump-dom"])
        .arg(format!("file://{file}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs Chromium: `cargo xtask test` sets CHROMIUM"]
fn the_report_has_its_sections_and_reaches_for_no_network() {
    let Some(browser) = std::env::var_os("CHROMIUM") else {
        println!("skipped: CHROMIUM names no browser");
        return;
    };
    let folder = Folder::new();
    let file = text(&folder.path("report.html"));
    assert_eq!(run(&["demo", "--speed", "1000000", "--report", &file]).status, 0);
    let page = dump(&browser, &text(&folder.path("profile")), &file);
    for rollout in 1..=2 {
        for section in
            ["rollout", "traffic", "error-rate", "latency", "memory", "requests", "decisions", "policy"]
        {
            assert!(page.contains(&format!("id=\"{section}-{rollout}\"")), "{section}-{rollout}");
        }
    }
    // The browser took every chart for one: two sizes of five charts, for two rollouts.
    assert_eq!(page.matches("</svg>").count(), 20);
    assert!(page.contains("gate &lt; 0.1 %\n</text>"), "a limit has its label");
    for sign in ["http:", "https:", "src=", "@import", "url(", "<script"] {
        assert!(!page.contains(sign), "{sign}");
    }
}
