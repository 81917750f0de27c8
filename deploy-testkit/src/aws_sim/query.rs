//! The protocol `query`: forms, whose dotted names make a tree, and XML.

use serde::Serialize;

use super::wire::{Call, REQUEST_ID, Refusal, decoded};

/// The members of a list in an answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Members<T> {
    member: Vec<T>,
}

impl<T> From<Vec<T>> for Members<T> {
    fn from(member: Vec<T>) -> Self {
        Self { member }
    }
}

/// The answer of this call with this in it.
pub(super) fn document(namespace: &str, call: &str, result: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let result = quick_xml::se::to_string_with_root(&format!("{call}Result"), result)
        .map_err(|error| Refusal::new(500, "InternalFailure", error.to_string()))?;
    let metadata = format!("<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>");
    Ok(format!("<{call}Response xmlns=\"{namespace}\">{result}{metadata}</{call}Response>").into_bytes())
}

/// A form, or the part of one below a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The form in a call's body.
    pub(super) fn of(call: &Call) -> Self {
        let body = String::from_utf8_lossy(&call.body);
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    /// The value of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of this name as a number or a truth value.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Refusal::new(400, "MalformedInput", format!("Invalid value for {name}: '{text}'"))
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// What is below this name, the value of the name itself under the empty name.
    pub(super) fn below(&self, name: &str) -> Self {
        let below = |(known, value): &(String, String)| {
            let rest = known.strip_prefix(name)?;
            let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
            Some((rest.to_owned(), value.clone()))
        };
        Self(self.0.iter().filter_map(below).collect())
    }

    /// The members of a list, in order.
    pub(super) fn list(&self, name: &str) -> Vec<Self> {
        let member = |number: usize| self.below(&format!("{name}.member.{number}"));
        (1..).map(member).take_while(|member| !member.is_empty()).collect()
    }

    /// The members of a list of texts, in order.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(|member| member.text("").map(str::to_owned)).collect()
    }

    /// Whether there is nothing.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every name with its value, in the order of the form.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_a_tree() {
        let pairs = [
            ("RuleArns.member.1", "a"),
            ("RuleArns.member.2", "b"),
            ("Actions.member.1.Type", "forward"),
            ("Actions.member.1.Order", "2"),
            ("Actions.member.10.Type", "no such member"),
            ("Empty", ""),
        ];
        let form = Form(pairs.map(|(name, value)| (name.into(), value.into())).into());
        assert_eq!(form.texts("RuleArns"), ["a", "b"]);
        let actions = form.list("Actions");
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0].text("Type"), Some("forward"));
        assert_eq!(actions[0].parsed("Order").unwrap(), Some(2));
        assert!(actions[0].parsed::<u32>("Type").is_err());
        assert!(form.texts("Empty").is_empty() && form.list("Rule").is_empty());
    }
}
