//! The page: one document with its style and its script.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use super::access::random_hex;
use super::answer::Problem;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: [&str; 3] =
    [include_str!("page/element.js"), include_str!("page/plot.js"), include_str!("page/page.js")];

/// Nothing but its own style and script runs, and nothing but its own API is asked.
pub(super) async fn page() -> Result<Response, Problem> {
    let nonce = random_hex().ok_or_else(|| Problem::Away("this machine gives no random bytes".into()))?;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let page =
        PAGE.replace("{{nonce}}", &nonce).replace("{{style}}", STYLE).replace("{{script}}", &SCRIPT.concat());
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, page).into_response())
}
