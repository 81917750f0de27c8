//! Cuts a text into statements, as `psql` does, before any of them is parsed.
//!
//! One statement at a time is parsed, so memory does not grow with the file, and one that cannot be read does not take
//! its neighbours with it. How deeply a statement nests is measured here too: the parser recurses, and what would
//! exhaust its stack is refused instead.

use crate::text::Span;

/// The deepest nesting that is read: far beyond what people write, and safe on the two megabytes of a thread's stack.
pub(crate) const MAX_NESTING: usize = 128;
/// The longest chain of operators without a comma that is read: each one is a level of the tree.
pub(crate) const MAX_CHAIN: usize = 1000;

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

/// Whether a body, such as a function's, nests deeper than is read.
pub(crate) fn nests_too_deep(text: &str) -> bool {
    let mut lexer = Lexer { text, at: 0 };
    let mut depth = Depth::default();
    while let Some((kind, span)) = lexer.next() {
        depth.see(kind, text.get(span.start..span.end).unwrap_or(""));
    }
    depth.exceeded
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Space,
    Comment,
    Word,
    Quoted,
    /// A string, and whether it may hide anything behind escapes.
    Text {
        escapes: bool,
    },
    Open,
    Close,
    Semicolon,
    Comma,
    Backslash,
    Number,
    Other,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<(Kind, Span)> {
        let start = self.at;
        let rest = self.text.get(start..)?;
        let first = rest.chars().next()?;
        let (kind, length) = token(rest, first);
        self.at = start + length.clamp(first.len_utf8(), rest.len());
        Some((kind, Span::new(start, self.at)))
    }
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let second = bytes.get(1).copied().unwrap_or(0);
    match first {
        _ if first.is_whitespace() => (Kind::Space, first.len_utf8()),
        '-' if second == b'-' => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if second == b'*' => (Kind::Comment, block_comment(bytes)),
        '\'' => (Kind::Text { escapes: false }, quoted(bytes, 0, b'\'', false)),
        '"' => (Kind::Quoted, quoted(bytes, 0, b'"', false)),
        '$' => dollar(rest),
        '(' | '[' => (Kind::Open, 1),
        ')' | ']' => (Kind::Close, 1),
        ';' => (Kind::Semicolon, 1),
        ',' => (Kind::Comma, 1),
        '\\' => (Kind::Backslash, 1),
        'e' | 'E' if second == b'\'' => (Kind::Text { escapes: true }, quoted(bytes, 1, b'\'', true)),
        'u' | 'U' if rest.get(1..3) == Some("&'") => {
            (Kind::Text { escapes: true }, quoted(bytes, 2, b'\'', false))
        }
        'u' | 'U' if rest.get(1..3) == Some("&\"") => (Kind::Quoted, quoted(bytes, 2, b'"', false)),
        _ if first.is_ascii_digit() => {
            (Kind::Number, while_chars(rest, |c| c.is_ascii_alphanumeric() || c == '_'))
        }
        _ if is_word_start(first) => (Kind::Word, while_chars(rest, is_word)),
        _ => (Kind::Other, first.len_utf8()),
    }
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_word(c: char) -> bool {
    is_word_start(c) || c.is_ascii_digit() || c == '$'
}

fn while_chars(rest: &str, accept: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !accept(c)).unwrap_or(rest.len())
}

/// The length of a quoted token whose opening quote is at `open`; a doubled quote does not end it.
fn quoted(bytes: &[u8], open: usize, quote: u8, backslashes: bool) -> usize {
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        if backslashes && *byte == b'\\' {
            at += 2;
        } else if *byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    bytes.len()
}

/// Block comments nest in PostgreSQL.
fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (Some(b'*'), Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            (Some(_) | None, _) => at += 1,
        }
    }
    bytes.len()
}

/// `$tag$ … $tag$`, or a `$` that begins none, such as that of `$1`.
fn dollar(rest: &str) -> (Kind, usize) {
    let Some(inner) = rest.get(1..) else { return (Kind::Other, 1) };
    let tag = while_chars(inner, is_word_without_dollar);
    let starts_with_digit = inner.starts_with(|c: char| c.is_ascii_digit());
    if starts_with_digit || inner.as_bytes().get(tag) != Some(&b'$') {
        return (Kind::Other, 1);
    }
    let opening = &rest[..tag + 2];
    let body = &rest[opening.len()..];
    let length = body.find(opening).map_or(rest.len(), |end| opening.len() + end + opening.len());
    (Kind::Text { escapes: false }, length)
}

fn is_word_without_dollar(c: char) -> bool {
    is_word_start(c) || c.is_ascii_digit()
}

/// Measures how deep a recursive parser would have to go.
#[derive(Debug, Default)]
struct Depth {
    open: usize,
    /// Words that open a level and are closed by `END`.
    blocks: usize,
    chain: usize,
    exceeded: bool,
    before: Before,
}

/// What stands before a word: `IF` begins a block only where a statement can begin, and `END IF` begins none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Boundary,
    End,
    Word,
}

impl Depth {
    fn see(&mut self, kind: Kind, token: &str) {
        match kind {
            Kind::Open => {
                self.open += 1;
                self.chain += 1;
            }
            Kind::Close => self.open = self.open.saturating_sub(1),
            Kind::Comma | Kind::Semicolon => self.chain = 0,
            Kind::Word => self.word(token),
            Kind::Other => self.chain += 1,
            Kind::Text { .. }
            | Kind::Space
            | Kind::Comment
            | Kind::Quoted
            | Kind::Backslash
            | Kind::Number => {}
        }
        self.before = match kind {
            Kind::Space | Kind::Comment => self.before,
            Kind::Word => before(token),
            Kind::Semicolon => Before::Boundary,
            Kind::Other if token == ">" => Before::Boundary,
            Kind::Other
            | Kind::Quoted
            | Kind::Text { .. }
            | Kind::Open
            | Kind::Close
            | Kind::Comma
            | Kind::Backslash
            | Kind::Number => Before::Word,
        };
        self.exceeded |= self.open + self.blocks > MAX_NESTING || self.chain > MAX_CHAIN;
    }

    fn word(&mut self, word: &str) {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let opens = match self.before {
            Before::Boundary => ["case", "begin", "loop", "if"].iter().any(|name| is(name)),
            Before::Word => ["case", "begin", "loop"].iter().any(|name| is(name)),
            Before::End => false,
        };
        if opens {
            self.blocks += 1;
        } else if is("end") {
            self.blocks = self.blocks.saturating_sub(1);
        } else if is("select") || is("values") {
            self.chain = 0;
        } else if ["not", "and", "or", "is", "collate", "at", "else", "elsif"].iter().any(|name| is(name)) {
            self.chain += 1;
        }
    }
}

fn before(word: &str) -> Before {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("end") {
        Before::End
    } else if ["then", "else", "begin", "loop"].iter().any(|name| is(name)) {
        Before::Boundary
    } else {
        Before::Word
    }
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

/// The bodies of functions are strings. What escapes may hide counts as nesting.
fn body_nests_too_deep(token: &str, escapes: bool) -> bool {
    let hidden = if escapes { token.bytes().filter(|byte| *byte == b'\\').count() } else { 0 };
    if hidden > MAX_NESTING {
        return true;
    }
    let body = token.trim_start_matches(['e', 'E', 'u', 'U', '&', '\'', '$']);
    nests_too_deep(body)
}

#[cfg(test)]
mod tests {
    use super::*;

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
