//! Who may command, and that it is a page of ours that asks.

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use mpac_deploy_core::port::Inbox;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::answer::Problem;

/// The least length of a token. Who chooses a shorter one has not drawn it.
const TOKEN_CHARS: usize = 16;

/// The header that only a page of ours and programs send: a form of another site cannot, and its script may not.
const INTENT: (&str, &str) = ("mpac-deploy", "command");

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A secret that whoever commands must send. It is kept as its digest under a key of this process and compared in constant time.
#[derive(Clone)]
pub struct Token {
    key: Arc<hmac::Key>,
    tag: hmac::Tag,
}

/// No token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is too short or cannot be written in a header.
    #[error(
        "a token must have at least 16 printable characters without blanks: draw one with `openssl rand -hex 32`"
    )]
    Unfit,
    /// The machine gives no random bytes.
    #[error("this machine gives no random bytes")]
    NoRandomness,
}

impl Token {
    /// This token.
    ///
    /// # Errors
    /// [`TokenError`] when it is shorter than 16 characters or holds others than printable ones of ASCII.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        if text.len() < TOKEN_CHARS || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Unfit);
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| TokenError::NoRandomness)?;
        let tag = hmac::sign(&key, text.as_bytes());
        Ok(Self { key: Arc::new(key), tag })
    }

    /// A fresh token of 32 hexadecimal digits, and its text for whoever shall have it.
    ///
    /// # Errors
    /// [`TokenError::NoRandomness`].
    pub fn draw() -> Result<(Self, String), TokenError> {
        let text = random_hex().ok_or(TokenError::NoRandomness)?;
        Ok((Self::new(&text)?, text))
    }

    /// By the digests: the time that it takes says neither how much of a guess is right nor how long the token is.
    fn is(&self, guess: &str) -> bool {
        hmac::verify(&self.key, guess.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// 16 random bytes in hexadecimal digits.
pub(super) fn random_hex() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// Who sent a request, as middleware of the embedder's knows it: put it into the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person(pub String);

/// Whether there are commands, and who may give them.
#[derive(Clone)]
pub(super) enum Commands {
    None,
    ByToken { token: Token, inbox: Arc<dyn Inbox> },
    Open { inbox: Arc<dyn Inbox> },
}

impl Commands {
    /// A word for the page.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ByToken { .. } => "token",
            Self::Open { .. } => "open",
        }
    }

    /// The inbox, for whoever may command by this request.
    pub(super) fn open(&self, headers: &HeaderMap) -> Result<&Arc<dyn Inbox>, Problem> {
        let inbox = match self {
            Self::None => return Err(Problem::NoCommands),
            Self::Open { inbox } => inbox,
            Self::ByToken { token, inbox } => {
                let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
                if !token.is(sent) {
                    return Err(Problem::NoToken);
                }
                inbox
            }
        };
        refuse_foreign(headers)?;
        Ok(inbox)
    }
}

/// A browser that was led here by another site says so, and cannot be made to send the header.
fn refuse_foreign(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if headers.get(INTENT.0).is_none_or(|value| value != INTENT.1) {
        return Err(Problem::Foreign("a command needs the header `mpac-deploy: command`"));
    }
    if text(FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(Problem::Foreign("another site's page may not command"));
    }
    let host = text(HOST).unwrap_or_default();
    let is_ours =
        |origin: &str| origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
    match text(ORIGIN) {
        Some(origin) if !is_ours(origin) => Err(Problem::Foreign("another site's page may not command")),
        Some(_) | None => Ok(()),
    }
}

/// The host without its port.
pub(super) fn host_name(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    name.map(str::to_ascii_lowercase)
}
