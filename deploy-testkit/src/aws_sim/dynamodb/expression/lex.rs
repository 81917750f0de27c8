//! The words of an expression.

/// A word of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword or a function.
    Word(String),
    /// `#name`
    Name(String),
    /// `:value`
    Value(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 14] = ["<>", "<=", ">=", "<", ">", "=", "(", ")", ",", "+", "-", ".", "[", "]"];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            let mark = usize::from(matches!(first, '#' | ':'));
            let tail = rest.get(mark..).unwrap_or_default();
            let length = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
            if length == 0 {
                return Err(format!("Syntax error; token: \"{first}\", near: \"{rest}\""));
            }
            let word = rest.get(..mark + length).unwrap_or_default().to_owned();
            let token = match first {
                '#' => Token::Name(word),
                ':' => Token::Value(word),
                _ => Token::Word(word),
            };
            (token, mark + length)
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

impl Token {
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Value(text) => text,
            Self::Sign(sign) => sign,
        }
    }
}
