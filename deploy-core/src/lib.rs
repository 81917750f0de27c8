//! The pure core of mpac-deploy: it decides how a release replaces production software without downtime, and when it is taken
//! back. It never acts.
//!
//! ```text
//!  policy ──compile──▶ plan ──▶ machine ──▶ effects ──▶ driver ──▶ ports ◀── adapters
//!  (what a person      (valid,   (pure:       (plain      (async,    (traits)
//!   writes)            absolute)  an enum)     data)       thin)
//!                                   ▲                         │
//!                                   └──────── events ◀────────┘    journal: events; state = fold(events)
//! ```
//!
//! # Embedding
//!
//! ```rust
//! use mpac_deploy_core::driver::{Driver, Options, Ports};
//! use mpac_deploy_core::journal::rollout_id;
//! use mpac_deploy_core::machine::Outcome;
//! use mpac_deploy_core::plan::Release;
//! use mpac_deploy_core::policy::mpac;
//!
//! /// Replaces blue with green, or takes it back. `ports` is the world: your adapters, or the testkit's fakes.
//! async fn deploy(ports: Ports, release: Release) -> Result<Outcome, Box<dyn std::error::Error>> {
//!     let plan = mpac().compile(release)?;
//!     let id = rollout_id(plan.release(), ports.clock.now());
//!     let (driver, mut handle) = Driver::start(ports, id, plan, Options::new("deployer-1")).await?;
//!     tokio::spawn(async move {
//!         while handle.changed().await {
//!             println!("{:?} at {}", handle.status().phase(), handle.status().expected_weights());
//!         }
//!     });
//!     let rollout = driver.run().await?;
//!     Ok(rollout.outcome().cloned().expect("a driver runs to the end"))
//! }
//! ```
//!
//! # Without a runtime
//!
//! With default features off the crate is `#![no_std]` with `alloc`: no clock, file, thread or socket can be named. The machine
//! is then driven by hand; this is the canonical loop that the driver runs:
//!
//! ```rust
//! use mpac_deploy_core::effect::{Answer, Effect};
//! use mpac_deploy_core::machine::{Event, Rollout};
//! use mpac_deploy_core::time::Timestamp;
//!
//! fn drive(mut rollout: Rollout, clock: impl Fn() -> Timestamp, act: impl Fn(&Effect) -> Answer) -> Rollout {
//!     while rollout.outcome().is_none() {
//!         let event = match rollout.outstanding().next() {
//!             Some(effect) => Event::Outcome { effect: effect.id.clone(), result: Ok(act(effect)) },
//!             None => Event::Tick, // after waiting until rollout.deadline()
//!         };
//!         // Store the event here, before what follows from it is done.
//!         let _ = rollout.handle(clock(), event);
//!     }
//!     rollout
//! }
//! ```
//!
//! # The public interface is
//!
//! | module | what it holds |
//! |---|---|
//! | [`policy`] | what a person writes; the preset [`mpac`](policy::mpac); the rollback decision matrix |
//! | [`plan`] | a valid policy for a release; [`Policy::compile`](policy::Policy::compile) is the only fallible door |
//! | [`analysis`] | evidence, windows, rules, verdicts: the [`Judge`](analysis::Judge) |
//! | [`migration`] | the gate between migrations and the rollout |
//! | [`machine`] | the [`Rollout`](machine::Rollout): events in, effects out |
//! | [`effect`], [`decision`] | what is to be done, and what was decided and why |
//! | [`journal`] | the records of a rollout, and their replay |
//! | `port`, `driver` | the async traits of the world and the loop that connects it (feature `driver`) |
//! | [`units`], [`time`], [`ids`], [`metric`] | the words of all this, as types |
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `driver` | yes | ports and driver (tokio) |
//! | `text` | yes | policies as TOML and JSON |
//! | `json` | with either | the journal's records and snapshots as JSON |
//! | `metrics` | no | the numbers of running drivers, through the facade `metrics` |
//! | `mock` | no | mockall mocks of every port |
//! | `schema` | no | the JSON Schema of a policy |
//! | `std` | with any of them | the standard library |
#![no_std]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod analysis;
pub mod decision;
#[cfg(feature = "driver")]
pub mod driver;
pub mod effect;
pub mod ids;
pub mod journal;
pub mod machine;
pub mod metric;
pub mod migration;
pub mod plan;
pub mod policy;
#[cfg(feature = "driver")]
pub mod port;
pub mod time;
pub mod units;
