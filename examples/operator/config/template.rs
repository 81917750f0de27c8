//! Texts with words to fill in: `{environment}` and `{revision}`.

use serde::{Deserialize, Deserializer, de};

use super::Colour;

const ENVIRONMENT: &str = "{environment}";
const REVISION: &str = "{revision}";

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    environment: Colour,
    revision: Option<&'a str>,
}

impl<'a> Words<'a> {
    /// Words for what is the same in every release.
    pub(crate) const fn of(environment: Colour) -> Self {
        Self { environment, revision: None }
    }

    /// Words for what is asked of a release.
    pub(crate) const fn of_release(environment: Colour, revision: &'a str) -> Self {
        Self { environment, revision: Some(revision) }
    }
}

/// A text in which `{environment}` and `{revision}` stand for their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    fn parse(text: String) -> Result<Self, String> {
        let rest = text.replace(ENVIRONMENT, "").replace(REVISION, "");
        if let Some(unknown) = rest.split_once('{').and_then(|(_, after)| after.split_once('}')) {
            return Err(format!(
                "`{{{}}}` stands for nothing: `{ENVIRONMENT}` and `{REVISION}` can be filled in",
                unknown.0
            ));
        }
        Ok(Self(text))
    }

    /// The text with its words filled in; a revision that is not known stays as it is written.
    pub(crate) fn fill(&self, words: Words<'_>) -> String {
        let text = self.0.replace(ENVIRONMENT, words.environment.name());
        words.revision.map_or(text.clone(), |revision| text.replace(REVISION, revision))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// An image that names its revision once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    before: String,
    after: String,
}

impl Image {
    /// The image as it is written.
    pub(crate) fn template(&self) -> String {
        self.of(REVISION)
    }

    /// The image of a revision.
    pub(crate) fn of(&self, revision: &str) -> String {
        format!("{}{revision}{}", self.before, self.after)
    }

    /// The revision of an image, if it is one of these.
    pub(crate) fn revision<'a>(&self, image: &'a str) -> Option<&'a str> {
        let revision = image.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        (!revision.is_empty()).then_some(revision)
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split(REVISION).collect::<Vec<_>>().as_slice() {
            [before, after] => Ok(Self { before: (*before).into(), after: (*after).into() }),
            _ => Err(de::Error::custom(format!(
                "`{text}` must hold {REVISION} once: that is what a release changes"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_and_others_refused() {
        let text = Text::parse("http://{environment}.example/{revision}".into()).unwrap();
        assert_eq!(text.fill(Words::of_release(Colour::Green, "v2")), "http://green.example/v2");
        assert_eq!(text.fill(Words::of(Colour::Blue)), "http://blue.example/{revision}");
        let refused = Text::parse("svc-{colour}".into()).unwrap_err();
        assert!(refused.starts_with("`{colour}` stands for nothing"), "{refused}");
    }

    #[test]
    fn the_revision_of_an_image_is_what_stands_in_its_place() {
        let image = Image { before: "registry/app:".into(), after: "-arm".into() };
        assert_eq!(image.of("v2"), "registry/app:v2-arm");
        assert_eq!(image.revision("registry/app:v2-arm"), Some("v2"));
        assert_eq!(image.revision("registry/app:v2"), None);
        assert_eq!(image.revision("registry/app:-arm"), None);
    }
}
