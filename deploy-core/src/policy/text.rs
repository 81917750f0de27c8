//! Policies as TOML and JSON text; every error carries the path of the field.

use alloc::string::{String, ToString};

use super::Policy;

/// Text that is no policy: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyTextError {
    /// The text is no TOML.
    #[error("the policy is no TOML: {0}")]
    Toml(String),
    /// The text is no JSON.
    #[error("the policy is no JSON: {0}")]
    Json(String),
    /// A field is missing, unknown or of the wrong kind.
    #[error("{path}: {problem}")]
    Field {
        /// The place, such as `stages[1].bake`.
        path: String,
        /// What is wrong there.
        problem: String,
    },
}

fn field<E: core::fmt::Display>(error: &serde_path_to_error::Error<E>, problem: &str) -> PolicyTextError {
    let path = error.path().to_string();
    let path = if path == "." { "the policy".to_string() } else { path };
    PolicyTextError::Field { path, problem: plain(&problem.trim().replace('\n', " ")) }
}

/// The problem in the words of whoever writes a policy, not of the types that read it.
fn plain(problem: &str) -> String {
    problem
        .replace(" as i128", "")
        .replace("expected u8", "expected a whole number from 0 to 255")
        .replace("expected u32", "expected a whole number from 0 to 4294967295")
}

/// How much of a line an error repeats.
const QUOTED_CHARS: usize = 120;

/// An error of the parser, in which a line of the text may be as long as it pleases.
fn shortened(error: &str) -> String {
    let lines = error.trim_end().lines().map(|line| match line.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => alloc::format!("{}…", &line[..end]),
        None => line.to_string(),
    });
    lines.collect::<alloc::vec::Vec<_>>().join("\n")
}

impl Policy {
    /// Reads a policy from TOML.
    ///
    /// # Errors
    /// [`PolicyTextError`] when the text is no TOML, or a field is missing, unknown or of the wrong kind.
    pub fn from_toml(text: &str) -> Result<Self, PolicyTextError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let deserializer = toml::Deserializer::parse(text)
            .map_err(|error| PolicyTextError::Toml(shortened(&error.to_string())))?;
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let problem = error.inner().message().to_string();
            field(&error, &problem)
        })
    }

    /// Reads a policy from JSON.
    ///
    /// # Errors
    /// [`PolicyTextError`] when the text is no JSON, or a field is missing, unknown or of the wrong kind.
    pub fn from_json(text: &str) -> Result<Self, PolicyTextError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let policy = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let inner = error.inner();
            match inner.classify() {
                serde_json::error::Category::Data => field(&error, &inner.to_string()),
                serde_json::error::Category::Io
                | serde_json::error::Category::Syntax
                | serde_json::error::Category::Eof => PolicyTextError::Json(inner.to_string()),
            }
        })?;
        deserializer.end().map_err(|error| PolicyTextError::Json(error.to_string()))?;
        Ok(policy)
    }

    /// Writes the policy as TOML.
    ///
    /// # Errors
    /// [`PolicyTextError::Toml`] when a text in it cannot be written.
    pub fn to_toml(&self) -> Result<String, PolicyTextError> {
        toml::to_string(self).map_err(|error| PolicyTextError::Toml(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::mpac;

    #[test]
    fn the_preset_is_read_back_from_both_formats() {
        let toml = mpac().to_toml().unwrap();
        assert_eq!(Policy::from_toml(&toml).unwrap(), mpac(), "{toml}");
        let json = serde_json::to_string(&mpac()).unwrap();
        assert_eq!(Policy::from_json(&json).unwrap(), mpac(), "{json}");
    }

    #[test]
    fn an_error_names_its_path() {
        let toml = mpac().to_toml().unwrap();
        let error =
            Policy::from_toml(&toml.replace("bake = \"15 min\"", "bake = \"15 minutes\"")).unwrap_err();
        assert!(error.to_string().starts_with("stages[0].bake: `15 minutes` is no duration"), "{error}");
        let error = Policy::from_toml(&toml.replace("periods = 5", "period = 5")).unwrap_err();
        assert!(error.to_string().contains("triggers[0].rule.consecutive"), "{error}");
        let error = Policy::from_toml(&toml.replace("blue = 95", "blue = 256")).unwrap_err();
        assert!(error.to_string().ends_with("expected a whole number from 0 to 255"), "{error}");
        let error = Policy::from_toml(&toml.replace("bake = \"15 min\"", "bake = 15")).unwrap_err();
        assert!(error.to_string().contains("expected a duration such as `15 min`"), "{error}");
        let error = Policy::from_json("{\"name\": 1}").unwrap_err();
        assert!(error.to_string().starts_with("name: "), "{error}");
        let error = Policy::from_json("{\"name\": \"x\"").unwrap_err();
        assert!(matches!(error, PolicyTextError::Json(_)), "{error}");
    }

    #[test]
    fn an_error_stays_short_whatever_the_text_is() {
        let error = Policy::from_toml(&alloc::format!("a = {}", "[".repeat(100_000))).unwrap_err();
        assert!(error.to_string().len() < 1000, "{error}");
    }
}
