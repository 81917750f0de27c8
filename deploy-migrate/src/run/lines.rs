//! What a tool prints, line by line, as much of it as a journal should keep.

use std::collections::VecDeque;

use crate::discover::last_words;

/// A journal keeps the beginning, where a tool says what it does …
const FIRST: usize = 40;
/// … and the end, where it says what went wrong (both ours: with [`LONGEST`] at most 100 kB of a record).
const LAST: usize = 160;
/// Longer lines are cut.
const LONGEST: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Lines {
    first: Vec<String>,
    last: VecDeque<String>,
    left_out: usize,
}

impl Lines {
    pub(super) fn add(&mut self, line: &str) {
        let line: String = line.chars().take(LONGEST).collect();
        if self.first.len() < FIRST {
            return self.first.push(line);
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(line);
    }

    /// The line that says what went wrong.
    pub(super) fn last_words(&self) -> &str {
        last_words(self.iter())
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.first.iter().chain(&self.last).map(String::as_str)
    }

    pub(super) fn append(&mut self, other: Self) {
        for line in other.into_vec() {
            self.add(&line);
        }
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        let mut lines = self.first;
        if self.left_out > 0 {
            lines.push(format!("({} lines are left out)", self.left_out));
        }
        lines.extend(self.last);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_the_beginning_and_the_end_are_kept() {
        let mut lines = Lines::default();
        for number in 0..1000 {
            lines.add(&format!("{number}{}", "x".repeat(LONGEST)));
        }
        assert!(lines.last_words().starts_with("999x"));
        let kept = lines.into_vec();
        assert_eq!((kept.len(), kept[FIRST].as_str()), (FIRST + 1 + LAST, "(800 lines are left out)"));
        assert!(kept.iter().all(|line| line.len() <= LONGEST));
    }

    #[test]
    fn the_error_is_not_what_comes_after_it() {
        let mut lines = Lines::default();
        let error =
            "sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedColumn) column \"x\" does not exist";
        for line in
            [error, "[SQL: ALTER TABLE a", "DROP COLUMN x]", "(Background on this error at: https://x)"]
        {
            lines.add(line);
        }
        assert_eq!(lines.last_words(), error);
    }

    #[test]
    fn silence_is_said() {
        let mut lines = Lines::default();
        lines.add(" ");
        assert_eq!(lines.last_words(), "it said nothing");
    }
}
