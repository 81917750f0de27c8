#![doc = include_str!("../README.md")]

mod allow;
mod analyze;
pub mod checklist;
mod class;
mod config;
mod depth;
mod describe;
pub mod discover;
mod facts;
mod impact;
mod lex;
mod lock;
mod migration;
pub mod output;
mod phase;
mod report;
mod rule;
mod rules;
#[cfg(feature = "run")]
pub mod run;
mod split;
mod state;
mod text;
mod types;

pub use analyze::Analyzer;
pub use class::{Break, Class, Severity};
pub use config::{Config, ConfigError, DEFAULT_POSTGRES, OLDEST_POSTGRES, Service};
pub use impact::{Impact, TableLock};
pub use lock::LockMode;
pub use migration::{Migration, Tool};
pub use report::{Allowed, Finding, Problem, Report, StatementReport};
pub use rule::Rule;
pub use text::{Position, Span};
