//! How deeply a text nests: the parser recurses, and what would exhaust its stack is refused instead.

use crate::lex::{Kind, Lexer};

/// The deepest nesting that is read: far beyond what people write, and safe on the two megabytes of a thread's stack.
pub(crate) const MAX_NESTING: usize = 128;
/// The longest chain of operators without a comma that is read: each one is a level of the tree.
pub(crate) const MAX_CHAIN: usize = 1000;

/// Whether a body, such as a function's, nests deeper than is read.
pub(crate) fn nests_too_deep(text: &str) -> bool {
    let mut lexer = Lexer { text, at: 0 };
    let mut depth = Depth::default();
    while let Some((kind, span)) = lexer.next() {
        depth.see(kind, text.get(span.start..span.end).unwrap_or(""));
    }
    depth.exceeded
}

/// The bodies of functions are strings. What escapes may hide counts as nesting.
pub(crate) fn body_nests_too_deep(token: &str, escapes: bool) -> bool {
    let hidden = if escapes { token.bytes().filter(|byte| *byte == b'\\').count() } else { 0 };
    if hidden > MAX_NESTING {
        return true;
    }
    let body = token.trim_start_matches(['e', 'E', 'u', 'U', '&', '\'', '$']);
    nests_too_deep(body)
}

/// Measures how deep a recursive parser would have to go.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    open: usize,
    /// Words that open a level and are closed by `END`.
    blocks: usize,
    chain: usize,
    pub(crate) exceeded: bool,
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
    pub(crate) fn see(&mut self, kind: Kind, token: &str) {
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
