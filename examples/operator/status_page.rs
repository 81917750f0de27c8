//! The status page beside a rollout: where it is bound, and who may command.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use mpac_deploy_core::port::{History, Inbox};
use mpac_deploy_services::status::{StatusPage, Token, serve};
use tokio::net::TcpListener;

use crate::complain;
use crate::reply::Failure;

/// The names under which a page on a loopback address is asked for.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the page is: a port alone is one of the loopback interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageAddress(SocketAddr);

impl FromStr for PageAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(port) = text.parse() {
            return Ok(Self((Ipv4Addr::LOCALHOST, port).into()));
        }
        text.parse().map(Self).map_err(|_| {
            "write a port, which is then one of the loopback interface, or ADDRESS:PORT such as 127.0.0.1:8080".into()
        })
    }
}

/// Serves the page for as long as the runtime lives, and says its URL. Without a token it only shows.
pub(crate) async fn start(
    PageAddress(address): PageAddress,
    journal: Arc<dyn History>,
    inbox: Arc<dyn Inbox>,
    token: Option<Token>,
) -> Result<String, Failure> {
    let failed = |error| Failure::World(format!("the status page cannot be served on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let mut page = StatusPage::new(journal);
    if bound.ip().is_loopback() {
        page = page.at_hosts(LOOPBACK_NAMES);
    } else {
        complain(&format!("the status page on {bound} shows the rollouts to everybody who reaches it\n"));
    }
    if let Some(token) = token {
        page = page.with_commands_by(token, inbox);
    }
    tokio::spawn(serve(listener, page.router()));
    Ok(format!("http://{bound}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_the_loopback_interface() {
        let read = |text: &str| text.parse::<PageAddress>().map(|PageAddress(address)| address.to_string());
        assert_eq!(read("8080").unwrap(), "127.0.0.1:8080");
        assert_eq!(read("0.0.0.0:80").unwrap(), "0.0.0.0:80");
        assert_eq!(read("[::1]:80").unwrap(), "[::1]:80");
        assert!(read("localhost").unwrap_err().starts_with("write a port"));
    }
}
