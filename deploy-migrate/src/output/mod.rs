//! Reports for people and for programs.

mod checklist;
mod github;
mod human;
mod json;
mod sarif;

pub use checklist::{checklist, checklist_json};
pub use github::github;
pub use human::human;
pub use json::{json, json_full};
pub use sarif::sarif;
