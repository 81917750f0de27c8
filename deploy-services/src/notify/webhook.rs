//! A signed HTTP request for each notice, after the specification Standard Webhooks.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use mpac_deploy_core::decision::{Decision, Notice};
use mpac_deploy_core::ids::RolloutId;
use mpac_deploy_core::port::{Clock as _, Notify, PortError, SystemClock};
use ring::{digest, hmac};

use crate::http::{self, Client, READ_BYTES, causes, quoted};

/// How long one request may take, with its connection and its answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// How a secret begins.
const SECRET_PREFIX: &str = "whsec_";

/// The bytes that the specification wants of a secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A POST for each notice, signed as [Standard Webhooks](https://www.standardwebhooks.com) say, so that receivers have libraries which verify it.
///
/// | header | holds |
/// |---|---|
/// | `webhook-id` | the same for every attempt at one notice: whoever has seen it can ignore it |
/// | `webhook-timestamp` | seconds since the Unix epoch, of this attempt: an old one is a replay |
/// | `webhook-signature` | `v1,` and the Base64 of the HMAC-SHA256 of `id.timestamp.body` |
///
/// The body is a [`Notice`].
///
/// ```
/// use mpac_deploy_services::notify::Webhook;
///
/// let notify = Webhook::new("https://hooks.example.com/deploys", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// # Ok::<(), mpac_deploy_services::notify::WebhookError>(())
/// ```
pub struct Webhook {
    to: Uri,
    key: hmac::Key,
    client: Client<Full<Bytes>>,
    deadline: Duration,
}

/// A webhook that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The URL is none.
    #[error("`{url}` is no URL of a webhook: write https://HOST/PATH")]
    Url {
        /// The URL.
        url: String,
    },
    /// The secret is none; it is not repeated here.
    #[error(
        "the webhook's secret must be `whsec_` and the Base64 of 24 to 64 random bytes, as `openssl rand -base64 32` gives them"
    )]
    Secret,
    /// The machine's certificates cannot be read.
    #[error("https cannot be spoken: the certificates of this machine cannot be read: {0}")]
    Certificates(String),
}

impl Webhook {
    /// Notices to this URL, signed by this secret.
    ///
    /// # Errors
    /// [`WebhookError`] when either is none.
    pub fn new(url: &str, secret: &str) -> Result<Self, WebhookError> {
        let to = http::url(url).ok_or_else(|| WebhookError::Url { url: url.into() })?;
        let encoded = secret.strip_prefix(SECRET_PREFIX).ok_or(WebhookError::Secret)?;
        let secret = STANDARD.decode(encoded).map_err(|_| WebhookError::Secret)?;
        if !SECRET_BYTES.contains(&secret.len()) {
            return Err(WebhookError::Secret);
        }
        let client = http::client().map_err(|error| WebhookError::Certificates(error.to_string()))?;
        Ok(Self { to, key: hmac::Key::new(hmac::HMAC_SHA256, &secret), client, deadline: DEADLINE })
    }

    /// The same with another time for one request; ten seconds unless it is said.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    fn request(&self, rollout: &RolloutId, decision: &Decision) -> Result<Request<Full<Bytes>>, PortError> {
        let refused =
            |error: &dyn fmt::Display| PortError::Refused(format!("the notice cannot be sent: {error}"));
        let body = serde_json::to_string(&Notice::new(rollout, decision)).map_err(|error| refused(&error))?;
        let id = id(&body);
        let timestamp = SystemClock.now().as_millis() / 1000;
        let signature = hmac::sign(&self.key, format!("{id}.{timestamp}.{body}").as_bytes());
        Request::post(self.to.clone())
            .header(USER_AGENT, "mpac-deploy")
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", format!("v1,{}", STANDARD.encode(signature)))
            .body(Full::from(body))
            .map_err(|error| refused(&error))
    }

    async fn post(&self, request: Request<Full<Bytes>>) -> Result<(), PortError> {
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| PortError::Unavailable(self.said(&causes(&error))))?;
        let status = answer.status();
        // Read to its end, so that the connection can be used again; what is too long is let go.
        let body = Limited::new(answer.into_body(), READ_BYTES).collect().await;
        if status.is_success() {
            return Ok(());
        }
        let body = body.map(|body| quoted(&body.to_bytes())).unwrap_or_default();
        let said = self.said(&format!("it answered {status}{body}"));
        let may_pass = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
        if status.is_server_error() || may_pass.contains(&status) {
            Err(PortError::Unavailable(said))
        } else {
            Err(PortError::Refused(said))
        }
    }

    /// The host alone: a webhook's path is often as good as a password.
    fn said(&self, what: &str) -> String {
        format!("webhook at {}: {what}", self.to.host().unwrap_or_default())
    }
}

/// A notice is what it says: the same one has the same id in every attempt and every process.
fn id(body: &str) -> String {
    let digest = digest::digest(&digest::SHA256, body.as_bytes());
    digest.as_ref().iter().take(16).fold("msg_".into(), |id: String, byte| format!("{id}{byte:02x}"))
}

/// Neither the secret nor the path.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.to.host()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Notify for Webhook {
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        let request = self.request(rollout, decision)?;
        let posted = tokio::time::timeout(self.deadline, self.post(request)).await;
        posted.unwrap_or_else(|_| {
            Err(PortError::Unavailable(self.said(&format!("no answer within {:?}", self.deadline))))
        })
    }
}
