//! SNS, as far as messages are published: `Publish`. Nobody is subscribed; what was published can be read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::query::{self, Form};
use super::wire::{Call, Refusal};
use super::{AwsSim, Shared};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// Region and account of every topic.
const OWNER: &str = "arn:aws:sns:us-east-1:123456789012";

/// Bytes of a message, with its attributes.
const LARGEST: usize = 262_144;

/// Characters of a subject.
const LONGEST_SUBJECT: usize = 100;

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The subject, if it has one.
    pub subject: Option<String>,
    /// What each kind of subscriber gets; `default` is for all that are not named.
    pub by_protocol: BTreeMap<String, String>,
    /// The attributes of type `String`.
    pub attributes: BTreeMap<String, String>,
}

/// A topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    messages: Vec<Message>,
    /// Of a FIFO topic.
    seen: BTreeSet<String>,
}

/// The topics, by their ARN.
pub(super) type Topics = BTreeMap<String, Topic>;

/// The ARN of the topic of this name.
#[must_use]
pub fn topic_arn(name: &str) -> String {
    format!("{OWNER}:{name}")
}

impl AwsSim {
    /// Makes a topic, a FIFO topic if its name ends in `.fifo`.
    pub fn add_topic(&self, name: &str) {
        self.shared.account.get().topics.entry(topic_arn(name)).or_default();
    }

    /// What was published to a topic, in order.
    #[must_use]
    pub fn messages(&self, name: &str) -> Vec<Message> {
        self.shared
            .account
            .get()
            .topics
            .get(&topic_arn(name))
            .map(|topic| topic.messages.clone())
            .unwrap_or_default()
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameter", format!("Invalid parameter: {}", message.into()))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Published {
    message_id: String,
}

pub(super) fn publish(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let arn = form.text("TopicArn").unwrap_or_default();
    let message = message(&form)?;
    let mut account = shared.account.get();
    let topic =
        account.topics.get_mut(arn).ok_or_else(|| Refusal::new(404, "NotFound", "Topic does not exist"))?;
    let is_new = match (
        arn.ends_with(".fifo"),
        form.text("MessageGroupId"),
        form.text("MessageDeduplicationId"),
    ) {
        (true, Some(_), Some(id)) => topic.seen.insert(id.to_owned()),
        (true, None, _) => return Err(invalid("The MessageGroupId parameter is required for FIFO topics")),
        (true, _, None) => {
            return Err(invalid(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            ));
        }
        (false, _, Some(_)) => {
            return Err(invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            ));
        }
        (false, _, None) => true,
    };
    if is_new {
        topic.messages.push(message);
    }
    let message_id = format!("00000000-0000-4000-8000-{:012}", topic.messages.len());
    query::document(NAMESPACE, "Publish", &Published { message_id })
}

fn message(form: &Form) -> Result<Message, Refusal> {
    let text =
        form.text("Message").filter(|text| !text.is_empty()).ok_or_else(|| invalid("Empty message"))?;
    let subject = form.text("Subject").map(str::to_owned);
    let is_line = |subject: &String| {
        subject.len() <= LONGEST_SUBJECT
            && !subject.is_empty()
            && subject.chars().all(|c| c == ' ' || c.is_ascii_graphic())
    };
    if subject.as_ref().is_some_and(|subject| !is_line(subject)) {
        return Err(invalid("Subject"));
    }
    let attributes = attributes(form)?;
    let size = text.len() + attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if size > LARGEST {
        return Err(invalid("Message too long"));
    }
    let by_protocol = match form.text("MessageStructure") {
        None => BTreeMap::from([("default".to_owned(), text.to_owned())]),
        Some("json") => structured(text)?,
        Some(_) => return Err(invalid("MessageStructure")),
    };
    Ok(Message { subject, by_protocol, attributes })
}

fn structured(text: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let unfit = || invalid("Message Structure - JSON message body failed to parse");
    let parsed: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|_| unfit())?;
    let texts =
        parsed.into_iter().filter_map(|(protocol, value)| Some((protocol, value.as_str()?.to_owned())));
    let texts: BTreeMap<String, String> = texts.collect();
    if texts.contains_key("default") {
        Ok(texts)
    } else {
        Err(invalid("Message Structure - No default entry in JSON message body"))
    }
}

fn attributes(form: &Form) -> Result<BTreeMap<String, String>, Refusal> {
    let entries = (1..).map(|number: usize| form.below(&format!("MessageAttributes.entry.{number}")));
    let read = |entry: Form| {
        let (name, value) =
            (entry.text("Name"), entry.text("Value.StringValue").filter(|value| !value.is_empty()));
        match (name, entry.text("Value.DataType"), value) {
            (Some(name), Some("String"), Some(value)) => Ok((name.to_owned(), value.to_owned())),
            _ => Err(Refusal::new(
                400,
                "ParameterValueInvalid",
                "The message attribute must contain a non-empty message attribute value",
            )),
        }
    };
    entries.take_while(|entry| !entry.is_empty()).map(read).collect()
}
