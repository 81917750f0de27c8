//! A rollout in the simulated world, faster than real time, and its status page on a loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::driver::{Driver, DriverHandle, Options, Ports, attend};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{Approval, Policy, Span, mpac};
use mpac_deploy_core::port::SystemClock;
use mpac_deploy_services::status::{StatusPage, Token, serve};
use mpac_deploy_testkit::fakes::{FakeFlags, FakeNotify, FakeSchema, MemoryInbox, MemoryJournal};
use mpac_deploy_testkit::scenario;
use mpac_deploy_testkit::world::{SimClock, World, epoch};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const TOKEN: &str = "correct-horse-battery-staple";

/// What can be asked over a socket.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) inbox: Arc<MemoryInbox>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) handle: DriverHandle,
}

/// An answer over a socket.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) const ID: &str = "r1";

impl Rig {
    /// A healthy rollout, `speed` times as fast as real time.
    pub(crate) async fn start(speed: u32) -> Self {
        Self::of(speed, scenario::release(), |page, inbox| page.with_commands_by(token(), inbox)).await
    }

    pub(crate) async fn of(
        speed: u32,
        release: Release,
        mount: impl FnOnce(StatusPage, Arc<MemoryInbox>) -> StatusPage,
    ) -> Self {
        Self::by(&mpac(), speed, release, mount).await
    }

    /// Half waits for a person, who has the page's token.
    pub(crate) async fn with_approval(speed: u32) -> Self {
        let mut policy = mpac();
        policy.stages[1].approval = Approval::Within(Span::minutes(600));
        Self::by(&policy, speed, scenario::release(), |page, inbox| page.with_commands_by(token(), inbox))
            .await
    }

    async fn by(
        policy: &Policy,
        speed: u32,
        release: Release,
        mount: impl FnOnce(StatusPage, Arc<MemoryInbox>) -> StatusPage,
    ) -> Self {
        let healthy = scenario::by_name("healthy").unwrap();
        let clock = SimClock::new(epoch(), speed);
        let world = Arc::new(World::new(healthy.setup, 1, clock.clone()));
        let journal = Arc::new(MemoryJournal::new(Arc::new(clock.clone())));
        let ports = Ports {
            traffic: Arc::clone(&world) as _,
            fleet: Arc::clone(&world) as _,
            metrics: Arc::clone(&world) as _,
            checks: Arc::clone(&world) as _,
            probes: Arc::clone(&world) as _,
            schema: Arc::new(FakeSchema::before(&release.migrations)),
            flags: Arc::new(FakeFlags::on(&release.flags)),
            journal: Arc::clone(&journal) as _,
            notify: Arc::new(FakeNotify::default()),
            clock: Arc::new(clock),
        };
        let plan = policy.compile(release).unwrap();
        let (driver, handle) =
            Driver::start(ports, RolloutId::from(ID), plan, Options::new("test")).await.unwrap();
        let inbox = Arc::new(MemoryInbox::default());
        tokio::spawn(driver.run());
        tokio::spawn(attend(handle.clone(), Arc::clone(&inbox) as _, Arc::new(SystemClock)));
        let page = StatusPage::new(Arc::clone(&journal) as _).looking_every(Duration::from_millis(50));
        let router = mount(page, Arc::clone(&inbox)).router();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router));
        Self { address, inbox, journal, handle }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// A command as the page sends it.
    pub(crate) async fn command(&self, body: &str) -> Answer {
        self.post(&self.headers(), body).await
    }

    pub(crate) async fn post(&self, headers: &[(&str, String)], body: &str) -> Answer {
        self.ask("POST", &format!("/api/rollouts/{ID}/commands"), headers, body).await
    }

    /// The headers of a command as the page sends them.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("authorization", format!("Bearer {TOKEN}")),
            ("content-type", "application/json".into()),
            ("mpac-deploy", "command".into()),
            ("origin", format!("http://{}", self.address)),
            ("sec-fetch-site", "same-origin".into()),
        ]
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Answer {
        let mut lines =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            lines += &format!("host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            lines += &format!("{name}: {value}\r\n");
        }
        self.raw(&format!("{lines}\r\n{body}")).await
    }

    /// What is written and what is answered, to the end of the connection.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has heard enough may answer and close before all is written.
        stream.write_all(request.as_bytes()).await.ok();
        let mut bytes = Vec::new();
        while let Ok(1..) = stream.read_buf(&mut bytes).await {}
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.into() }
    }

    /// Waits until the rollout is in this phase.
    pub(crate) async fn wait_for(&self, phase: &str) -> Value {
        for _ in 0..600 {
            let view = self.get(&format!("/api/rollouts/{ID}")).await.json();
            if view["phase"] == phase {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it was never {phase}: {:?}", self.handle.status().phase());
    }
}

pub(crate) fn token() -> Token {
    Token::new(TOKEN).unwrap()
}
