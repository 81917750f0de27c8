//! Cuts a text into statements, as `psql` does, before any of them is parsed.
//!
//! One statement at a time is parsed, so memory does not grow with the file, and one that cannot be read does not take
//! its neighbours with it. How deeply a statement nests is measured here too: the parser recurses, and what would
//! exhaust its stack is refused instead.

use crate::depth::{Depth, body_nests_too_deep};
use crate::lex::{Kind, Lexer};
use crate::text::Span;

/// A statement's place in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// From its first token to its semicolon.
    pub(crate) span: Span,
    /// Comments before it, in it, and after it on its last line.
    pub(crate) comments: Vec<Span>,
    /// Nests deeper than is read.
    pub(crate) too_deep: bool,
}

/// Cuts a text into statements. Lines of `psql` itself (`\connect`) and the rows of `COPY … FROM stdin` are left out.
pub(crate) fn split(text: &str) -> Vec<Piece> {
    Splitter::new(text).run()
}

struct Splitter<'a> {
    lexer: Lexer<'a>,
    pieces: Vec<Piece>,
    current: Option<Piece>,
    /// Comments that belong to the next statement.
    waiting: Vec<Span>,
    parens: usize,
    /// Inside `BEGIN ATOMIC … END` semicolons end no statement.
    atomic: usize,
    words: Vec<String>,
    depth: Depth,
    last_end: Option<usize>,
}

/// As many words tell what a statement is: `CREATE OR REPLACE FUNCTION`, `COPY … FROM stdin`.
const WORDS: usize = 6;

impl<'a> Splitter<'a> {
    fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            lexer: Lexer { text, at },
            pieces: Vec::new(),
            current: None,
            waiting: Vec::new(),
            parens: 0,
            atomic: 0,
            words: Vec::new(),
            depth: Depth::default(),
            last_end: None,
        }
    }

    fn run(mut self) -> Vec<Piece> {
        while let Some((kind, span)) = self.lexer.next() {
            self.see(kind, span);
        }
        self.finish();
        self.pieces
    }

    fn token(&self, span: Span) -> &'a str {
        self.lexer.text.get(span.start..span.end).unwrap_or("")
    }

    fn see(&mut self, kind: Kind, span: Span) {
        match kind {
            Kind::Space => return,
            Kind::Comment => return self.comment(span),
            Kind::Backslash if self.current.is_none() => return self.skip_line(),
            Kind::Semicolon if self.current.is_none() => return,
            Kind::Backslash
            | Kind::Semicolon
            | Kind::Word
            | Kind::Quoted
            | Kind::Text { .. }
            | Kind::Open
            | Kind::Close
            | Kind::Comma
            | Kind::Number
            | Kind::Other => {}
        }
        let token = self.token(span);
        let waiting = &mut self.waiting;
        let piece = self.current.get_or_insert_with(|| Piece {
            span,
            comments: std::mem::take(waiting),
            too_deep: false,
        });
        piece.span.end = span.end;
        self.depth.see(kind, token);
        if let Kind::Text { escapes } = kind {
            self.depth.exceeded |= body_nests_too_deep(token, escapes);
        }
        match kind {
            Kind::Open => self.parens += 1,
            Kind::Close => self.parens = self.parens.saturating_sub(1),
            Kind::Word => self.word(token),
            Kind::Semicolon if self.parens == 0 && self.atomic == 0 => self.finish(),
            Kind::Semicolon
            | Kind::Space
            | Kind::Comment
            | Kind::Quoted
            | Kind::Text { .. }
            | Kind::Comma
            | Kind::Backslash
            | Kind::Number
            | Kind::Other => {}
        }
    }

    fn word(&mut self, word: &str) {
        if self.words.len() < WORDS {
            self.words.push(word.to_ascii_lowercase());
        }
        let routine = self.words.first().is_some_and(|first| first == "create")
            && self.words.iter().any(|word| word == "function" || word == "procedure");
        if self.parens > 0 || !routine {
            return;
        }
        if word.eq_ignore_ascii_case("begin") || (self.atomic > 0 && word.eq_ignore_ascii_case("case")) {
            self.atomic += 1;
        } else if word.eq_ignore_ascii_case("end") {
            self.atomic = self.atomic.saturating_sub(1);
        }
    }

    fn comment(&mut self, span: Span) {
        if let Some(piece) = &mut self.current {
            piece.comments.push(span);
            return;
        }
        let same_line = self.last_end.is_some_and(|end| {
            self.lexer.text.get(end..span.start).is_some_and(|between| !between.contains('\n'))
        });
        match self.pieces.last_mut() {
            Some(last) if same_line => last.comments.push(span),
            Some(_) | None => self.waiting.push(span),
        }
    }

    fn finish(&mut self) {
        let copies_rows = self.copies_rows();
        if let Some(mut piece) = self.current.take() {
            piece.too_deep = self.depth.exceeded;
            self.last_end = Some(piece.span.end);
            self.pieces.push(piece);
        }
        if copies_rows {
            self.skip_rows();
        }
        self.parens = 0;
        self.atomic = 0;
        self.words.clear();
        self.depth = Depth::default();
    }

    fn copies_rows(&self) -> bool {
        let is_copy = self.words.first().is_some_and(|word| word == "copy");
        let statement = self.current.as_ref().map_or("", |piece| self.token(piece.span)).to_ascii_lowercase();
        is_copy
            && statement
                .split_whitespace()
                .collect::<Vec<_>>()
                .windows(2)
                .any(|pair| pair[0] == "from" && pair[1].trim_end_matches(';') == "stdin")
    }

    fn skip_rows(&mut self) {
        let rest = self.lexer.text.get(self.lexer.at..).unwrap_or("");
        let end = rest.find("\n\\.").map_or(rest.len(), |at| at + 3);
        self.lexer.at += end;
    }

    fn skip_line(&mut self) {
        let rest = self.lexer.text.get(self.lexer.at..).unwrap_or("");
        self.lexer.at += rest.find('\n').unwrap_or(rest.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depth::{MAX_CHAIN, MAX_NESTING};

    fn pieces(text: &str) -> Vec<&str> {
        split(text).iter().map(|piece| &text[piece.span.start..piece.span.end]).collect()
    }

    #[test]
    fn a_semicolon_in_a_string_a_comment_or_a_body_ends_nothing() {
        let text = "select ';', \"a;b\" /* ; /* ; */ */ -- ;\n; do $x$ begin; $$;$$ end $x$; select 1";
        let found = pieces(text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[1].starts_with("do $x$") && found[1].ends_with("$x$;"));
    }

    #[test]
    fn a_body_in_standard_sql_is_one_statement() {
        let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;\nSELECT 3;";
        assert_eq!(pieces(text).len(), 2);
    }

    #[test]
    fn what_psql_itself_reads_is_left_out() {
        let text = "\\connect x\nCOPY t (a) FROM stdin;\n1;\n2;\n\\.\nSELECT 1;";
        assert_eq!(pieces(text), ["COPY t (a) FROM stdin;", "SELECT 1;"]);
    }

    #[test]
    fn comments_belong_to_the_statement_below_or_on_the_same_line() {
        let found = split("-- a\nselect 1; -- b\n-- c\nselect /* d */ 2;");
        assert_eq!(found.iter().map(|piece| piece.comments.len()).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn deep_nesting_is_seen_also_in_a_body() {
        let deep = "(".repeat(MAX_NESTING + 1);
        assert!(split(&format!("select {deep}1")).first().unwrap().too_deep);
        assert!(split(&format!("do $$ select {deep}1 $$")).first().unwrap().too_deep);
        assert!(split(&format!("select {} 1", "- ".repeat(MAX_CHAIN + 1))).first().unwrap().too_deep);
        assert!(split(&format!("select a{}", "::int".repeat(MAX_CHAIN))).first().unwrap().too_deep);
        let ifs = "if a then ".repeat(MAX_NESTING);
        assert!(split(&format!("do $$ begin {ifs} null; $$")).first().unwrap().too_deep);
        let drops = "drop table if exists t; if a then null; end if;".repeat(MAX_NESTING);
        assert!(!split(&format!("do $$ begin {drops} end $$")).first().unwrap().too_deep);
        let list = "(1, 'x'),".repeat(10_000);
        assert!(!split(&format!("insert into t values {list}(1, 'y')")).first().unwrap().too_deep);
    }

    #[test]
    fn a_quote_that_is_never_closed_ends_with_the_text() {
        for text in ["select 'a", "select \"a", "select $$a", "/* a", "select e'\\", "$", "u&'"] {
            assert!(split(text).len() <= 1, "{text}");
        }
    }
}
