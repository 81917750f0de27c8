//! PostgreSQL's tokens, as far as it takes to cut a text into statements.

use crate::text::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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

/// Reads a text token by token.
pub(crate) struct Lexer<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl Lexer<'_> {
    pub(crate) fn next(&mut self) -> Option<(Kind, Span)> {
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
