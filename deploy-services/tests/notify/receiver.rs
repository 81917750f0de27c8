//! A receiver of webhooks that writes down what came, and answers as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mpac_deploy_services::notify::Webhook;
use ring::hmac;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// The connection stays open.
    Nothing,
    /// A byte now and then, without an end.
    Trickle,
}

#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: String,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    answer: Answer,
    posted: Vec<Post>,
    refused: usize,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { answer: Answer::Status(200), posted: Vec::new(), refused: 0 };
        let receiver = Self { address, state: Arc::new(Mutex::new(state)) };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(serving.clone(), stream));
            }
        });
        receiver
    }

    pub(crate) fn webhook(&self) -> Webhook {
        Webhook::new(&format!("http://{}/path", self.address), SECRET).unwrap()
    }

    pub(crate) fn answer(&self, answer: Answer) {
        self.state.lock().unwrap().answer = answer;
    }

    /// What was taken with a status of success.
    pub(crate) fn posted(&self) -> Vec<Post> {
        self.state.lock().unwrap().posted.clone()
    }

    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.posted().iter().map(|post| serde_json::from_str(&post.body).unwrap()).collect()
    }

    /// How many requests came and were not taken.
    pub(crate) fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    fn take(&self, post: Post) -> Answer {
        let mut state = self.state.lock().unwrap();
        match state.answer {
            Answer::Status(200..300) => state.posted.push(post),
            Answer::Status(_) | Answer::Nothing | Answer::Trickle => state.refused += 1,
        }
        state.answer
    }
}

async fn serve(receiver: Receiver, mut stream: TcpStream) {
    let Some(post) = read(&mut stream).await else { return };
    match receiver.take(post) {
        Answer::Status(status) => {
            let body = if status == 204 { "" } else { "no such hook" };
            let length =
                if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
            let answer = format!("HTTP/1.1 {status} X\r\n{length}connection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.ok();
        }
        Answer::Nothing => std::future::pending().await,
        Answer::Trickle => {
            stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100000\r\n\r\n").await.ok();
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Post> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                let mut found = lines.filter(|(header, _)| header.eq_ignore_ascii_case(name));
                found.next().map(|(_, value)| value.to_owned())
            };
            if body.len() >= header("content-length")?.parse().ok()? {
                let [id, timestamp, signature] =
                    ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header);
                return Some(Post {
                    id: id?,
                    timestamp: timestamp?,
                    signature: signature?,
                    body: body.into(),
                });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// What the signature must be, made apart from the adapter.
pub(crate) fn sign(id: &str, timestamp: &str, body: &str) -> String {
    let secret = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, &[id, timestamp, body].join(".").into_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}
