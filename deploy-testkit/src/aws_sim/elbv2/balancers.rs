//! Load balancers: `DescribeLoadBalancers`, `DescribeListeners`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{document, load_balancer_arn};
use crate::aws_sim::query::{Form, Members};
use crate::aws_sim::wire::{Call, Refusal};
use crate::aws_sim::{AwsSim, Shared};

/// How many balancers a page holds at most.
const PAGE: usize = 400;

/// The DNS name of each balancer, by the balancer's name.
#[derive(Debug, Default)]
pub(in crate::aws_sim) struct Balancers(BTreeMap<String, String>);

impl AwsSim {
    /// Makes an application load balancer of this name with this DNS name.
    pub fn put_load_balancer(&self, name: &str, dns_name: &str) {
        self.shared.account.get().elbv2.balancers.0.insert(name.into(), dns_name.into());
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    load_balancers: Members<LoadBalancer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoadBalancer {
    load_balancer_arn: String,
    #[serde(rename = "DNSName")]
    dns_name: String,
    canonical_hosted_zone_id: &'static str,
    load_balancer_name: String,
    scheme: &'static str,
    state: State,
    #[serde(rename = "Type")]
    kind: &'static str,
    ip_address_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    code: &'static str,
}

pub(in crate::aws_sim) fn describe_load_balancers(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let (arns, names) = (form.texts("LoadBalancerArns"), form.texts("Names"));
    let account = shared.account.get();
    let all: Vec<LoadBalancer> =
        account.elbv2.balancers.0.iter().map(|(name, dns)| described(name, dns)).collect();
    let wanted = |balancer: &LoadBalancer| {
        let is_all = arns.is_empty() && names.is_empty();
        is_all || arns.contains(&balancer.load_balancer_arn) || names.contains(&balancer.load_balancer_name)
    };
    let found: Vec<LoadBalancer> = all.into_iter().filter(wanted).collect();
    if found.len() < arns.len() + names.len() {
        return Err(Refusal::new(400, "LoadBalancerNotFound", "One or more load balancers not found"));
    }
    let size = form.parsed::<usize>("PageSize")?.unwrap_or(PAGE).clamp(1, PAGE);
    let from = form.parsed::<usize>("Marker")?.unwrap_or(0);
    let next_marker = (from + size < found.len()).then_some(from + size);
    let page: Vec<LoadBalancer> = found.into_iter().skip(from).take(size).collect();
    document("DescribeLoadBalancers", &Page { load_balancers: page.into(), next_marker })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListenersPage {
    listeners: Members<Listener>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listener {
    listener_arn: String,
    load_balancer_arn: String,
    port: u16,
    protocol: &'static str,
}

/// The listeners of a balancer are those that have rules.
pub(in crate::aws_sim) fn describe_listeners(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let balancer = form.text("LoadBalancerArn").unwrap_or_default();
    let of_it = balancer.replacen(":loadbalancer/", ":listener/", 1);
    let account = shared.account.get();
    let listeners = account.elbv2.rules.listeners().filter(|arn| arn.starts_with(&format!("{of_it}/")));
    let listeners: Vec<Listener> = listeners
        .map(|arn| Listener {
            listener_arn: arn.to_owned(),
            load_balancer_arn: balancer.to_owned(),
            port: 443,
            protocol: "HTTPS",
        })
        .collect();
    document("DescribeListeners", &ListenersPage { listeners: listeners.into() })
}

fn described(name: &str, dns_name: &str) -> LoadBalancer {
    LoadBalancer {
        load_balancer_arn: load_balancer_arn(name),
        dns_name: dns_name.into(),
        canonical_hosted_zone_id: "Z35SXDOTRQ7X7K",
        load_balancer_name: name.into(),
        scheme: "internet-facing",
        state: State { code: "active" },
        kind: "application",
        ip_address_type: "dualstack",
    }
}
