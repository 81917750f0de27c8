//! Reports for people and for programs.

mod github;
mod human;
mod json;
mod sarif;

pub use github::github;
pub use human::human;
pub use json::{json, json_full};
pub use sarif::sarif;
