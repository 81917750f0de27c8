//! XML answers as JSON, for the archive.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// The elements below the root as a tree: text as text, elements as members of an object, and a list of `member`s as an array.
pub(super) fn read(xml: &[u8]) -> Result<Value, quick_xml::Error> {
    let Value::Object(root) = element(&mut Reader::from_reader(xml))? else { return Ok(Value::Null) };
    Ok(root.into_iter().next().map_or(Value::Null, |(_, value)| value))
}

/// The element that has just begun, or the document.
fn element(reader: &mut Reader<&[u8]>) -> Result<Value, quick_xml::Error> {
    let (mut text, mut found) = (String::new(), Vec::new());
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                found.push((name, element(reader)?));
            }
            Event::Empty(start) => found.push((start.local_name().as_ref().to_owned(), Value::Null)),
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                Some(letter) => text.push(letter),
                None => text.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Event::End(_) | Event::Eof => return Ok(value(text, found)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn value(text: String, found: Vec<(String, Value)>) -> Value {
    if found.is_empty() {
        return if text.is_empty() { Value::Null } else { Value::String(text) };
    }
    if found.iter().all(|(name, _)| name == "member") {
        return found.into_iter().map(|(_, value)| value).collect();
    }
    Value::Object(found.into_iter().collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_objects_and_text_are_told_apart() {
        let xml = b"<?xml version=\"1.0\"?><R xmlns=\"x\"><Result><Groups><member><Name>a &amp; b&#33;</Name><Arns><member>1</member>\
            </Arns></member></Groups><Empty/></Result></R>";
        let expected = json!({"Result": {"Groups": [{"Name": "a & b!", "Arns": ["1"]}], "Empty": null}});
        assert_eq!(read(xml).unwrap(), expected);
    }

    #[test]
    fn what_is_no_xml_is_an_error_and_nothing_is_nothing() {
        assert!(read(b"<a><b></a>").is_err());
        assert_eq!(read(b"").unwrap(), Value::Null);
    }
}
