//! `plan`: what `run` would do, from what there is; nothing is changed.

mod page;
mod permissions;
mod sections;

use clap::Args;
use mpac_deploy_core::ids::Revision;
use mpac_deploy_core::metric::Side;

use crate::aws::{Account, AccountOptions};
use crate::config::{Colour, Roles};
use crate::reply::{Failure, Reply, Status};
use crate::runtime;
use page::{Kind, Page, Section};

#[derive(Args, Debug)]
pub(crate) struct PlanOptions {
    #[command(flatten)]
    account: AccountOptions,
    /// What would be rolled out; without it, images are shown with `{revision}`.
    #[arg(long, value_name = "REVISION", value_parser = crate::run::revision)]
    revision: Option<String>,
    /// One JSON document on standard output: `{"ready", "sections": [{"title", "lines": [{"kind", "text"}]}]}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &PlanOptions) -> Result<Reply, Failure> {
    let page = runtime::start()?.block_on(look(options))?;
    let status = match () {
        () if page.ready => Status::Done,
        () if page.has(Kind::Unreached) => Status::Unreachable,
        () => Status::Found,
    };
    if options.json { Reply::json(status, &page) } else { Ok(Reply { status, text: page.for_people() }) }
}

async fn look(options: &PlanOptions) -> Result<Page, Failure> {
    let account = Account::open(&options.account).await?;
    let revision = options.revision.as_deref().unwrap_or("{revision}");
    let policy = account.config.policy()?;
    let (traffic, roles) = traffic(&account).await;
    let shown = roles.unwrap_or(Roles { serving: Colour::Blue });
    let (services, from) = account.services_section(shown, revision).await;
    let summary = summary(&account, shown, from.as_ref(), revision);
    let from = from.unwrap_or_else(|| Revision::from("?"));
    let mut metrics = Section::new("Metrics");
    let mut release = metrics.read(account.release(shown, from, revision).await);
    let schema = match account.migrations().await {
        Ok(migrations) => {
            let section = sections::schema(&migrations);
            if let Some(release) = &mut release {
                release.migrations = migrations;
            }
            section
        }
        Err(failure) => sections::no_schema(failure),
    };
    let (rules, plan) = sections::policy(&policy, release);
    if let Some(plan) = plan {
        account.series(&mut metrics, shown, &plan).await;
    }
    let checks = account.checks_section(shown, revision);
    let journal = account.journal_section().await;
    let permissions = account.permissions_section(shown).await;
    Ok(Page::of(vec![summary, rules, traffic, services, schema, metrics, checks, journal, permissions]))
}

fn summary(account: &Account, roles: Roles, from: Option<&Revision>, revision: &str) -> Section {
    let mut section = Section::new("Release");
    let (blue, green) = (roles.of(Side::Blue).name(), roles.of(Side::Green).name());
    let serves = from.map_or("what serves", Revision::as_str);
    let (service, record) = (&account.config.service, account.config.record());
    section.fact(format!("{service}: {revision} ({green}) takes the place of {serves} ({blue}) on {record}"));
    if serves == revision {
        section.warn(format!("{revision} serves already"));
    }
    section
}

/// The record, and the roles that it gives.
async fn traffic(account: &Account) -> (Section, Option<Roles>) {
    let mut section = Section::new("Traffic");
    let weights = section.read(account.weights().await);
    let roles = weights.and_then(|weights| {
        section.fact(format!("{} shows {weights}", account.config.record()));
        let roles = crate::aws::roles(weights);
        if roles.is_none() {
            section.stop(account.nobody_serves_all(weights));
        }
        roles
    });
    if let Some(roles) = roles {
        account.traps(&mut section, roles).await;
    }
    (section, roles)
}
