use std::time::Duration;

use async_trait::async_trait;
use mpac_deploy_core::port::{Inbox, Journal};
use mpac_deploy_testkit::conformance::{self, InboxFixture, JournalFixture};

use crate::rig::{Rig, rig};

#[async_trait]
impl JournalFixture for Rig {
    fn journal(&self) -> &dyn Journal {
        &self.journal
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[tokio::test]
async fn the_journal_keeps_the_contract_of_the_port() {
    let report = conformance::journal(rig).await;
    assert!(report.is_ok(), "{report}");
    assert!(!report.cases.is_empty());
}

#[async_trait]
impl InboxFixture for Rig {
    fn inbox(&self) -> &dyn Inbox {
        &self.journal
    }
}

#[tokio::test]
async fn the_inbox_keeps_the_contract_of_the_port() {
    let report = conformance::inbox(rig).await;
    assert!(report.is_ok(), "{report}");
    assert!(!report.cases.is_empty());
}
