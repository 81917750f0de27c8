//! The checklist, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::checklist::{Checklist, Entry, Standing};

/// Of an item's reasons, as many lines are shown.
const SHOWN: usize = 12;

/// One paragraph for each item: how it stands, the strategy's words, and why.
#[must_use]
pub fn checklist(list: &Checklist) -> String {
    let mut out = String::new();
    for entry in list.entries() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{} {}{}", mark(entry.standing), entry.sentence, by(entry));
        for line in entry.why.iter().take(SHOWN) {
            let _ = writeln!(out, "      {line}");
        }
        if entry.why.len() > SHOWN {
            let _ = writeln!(out, "      and {} more", entry.why.len() - SHOWN);
        }
    }
    out.push_str(&summary(list));
    out
}

const fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed | Standing::Confirmed => "[x]",
        Standing::Failed => "[!]",
        Standing::NeedsPerson => "[ ]",
    }
}

fn by(entry: &Entry) -> String {
    match (entry.standing, &entry.by) {
        (Standing::Confirmed, Some(name)) => format!(": confirmed by {name}"),
        (Standing::Failed, Some(name)) => format!(": failed, whatever {name} has confirmed"),
        (Standing::Failed, None) => ": failed".to_owned(),
        (Standing::NeedsPerson, _) => {
            format!(": needs a person, who says --confirm {}=NAME", entry.item.id())
        }
        (Standing::Passed | Standing::Confirmed, _) => String::new(),
    }
}

fn summary(list: &Checklist) -> String {
    let count = |standing| list.entries().iter().filter(|entry| entry.standing == standing).count();
    format!(
        "{} passed, {} confirmed, {} need a person, {} failed.\n",
        count(Standing::Passed),
        count(Standing::Confirmed),
        count(Standing::NeedsPerson),
        count(Standing::Failed)
    )
}

/// The list as it stands in JSON.
#[derive(Serialize)]
struct Document<'a> {
    complete: bool,
    items: &'a [Entry],
}

/// `{"complete", "items": [{"item", "sentence", "standing", "why", "by"}]}`; `standing` is `passed`, `failed`, `needs_person` or `confirmed`.
///
/// # Errors
///
/// None that is known: serialization into a string of plain data.
pub fn checklist_json(list: &Checklist) -> Result<String, serde_json::Error> {
    let document = Document { complete: list.is_complete(), items: list.entries() };
    serde_json::to_string_pretty(&document).map(super::json::with_newline)
}
