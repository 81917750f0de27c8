//! What must not be repeated, and texts without it.

/// What stands in place of a secret.
const MASK: &str = "***";

/// Passwords that a tool might print.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn new(secrets: impl Iterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets.filter(|secret| !secret.is_empty()).collect();
        // A secret that contains another one goes first, or its rest would stay.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// All of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self::new(self.0.into_iter().chain(other.0))
    }

    /// The bytes of the longest.
    pub(super) fn longest(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }

    /// Whether the text is one, or a URL or connection string with one.
    pub(super) fn is_password_of(&self, text: &str) -> bool {
        let is_in = |secret: &String| {
            text == secret
                || text.contains(&format!(":{secret}@"))
                || text.contains(&format!("password={secret}"))
        };
        self.0.iter().any(is_in)
    }

    /// The text without them, and without the password of any URL in it: a project may know other databases than ours.
    pub(super) fn hide(&self, text: &str) -> String {
        let hidden = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASK));
        without_passwords(&hidden)
    }
}

fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end =
            after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`')).unwrap_or(after.len());
        let (url, following) = after.split_at(end);
        match url.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => {
                out.push_str(user);
                out.push(':');
                out.push_str(MASK);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(url),
        }
        rest = following;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_secret_nor_the_password_of_any_url_is_left() {
        let secrets = Secrets::new(["s3c", "s3cret"].map(str::to_owned).into_iter());
        assert_eq!(secrets.hide("s3cret and s3c"), "*** and ***");
        assert_eq!(
            secrets.hide("error: parse \"postgres://a:other/pw@h:1/x\": no; see http://h:1/x"),
            "error: parse \"postgres://a:***@h:1/x\": no; see http://h:1/x"
        );
    }

    #[test]
    fn without_a_secret_nothing_is_hidden() {
        assert_eq!(Secrets::new([String::new()].into_iter()).hide("a: b"), "a: b");
    }

    #[test]
    fn a_word_that_is_also_a_password_is_no_password_everywhere() {
        let secrets = Secrets::new(["postgres".to_owned()].into_iter());
        assert!(!secrets.is_password_of("/usr/lib/postgresql/15/bin:/var/lib/postgres"));
        for text in ["postgres", "postgres://a:postgres@b/c", "host=b password=postgres"] {
            assert!(secrets.is_password_of(text), "{text}");
        }
    }
}
