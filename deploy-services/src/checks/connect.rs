//! A connection that is accepted.

use tokio::net::TcpStream;

use super::Found;

pub(super) async fn ask(address: &str) -> Found {
    match TcpStream::connect(address).await {
        Ok(_) => Found::Yes,
        Err(error) => Found::Nobody(format!("connection to {address}: {error}")),
    }
}
