use super::super::value::{AttributeValue, Item};
use super::*;

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.into())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// `fence` is 3, `holder` is `a`.
fn item() -> Item {
    [("fence".to_owned(), number("3")), ("holder".to_owned(), text("a"))].into()
}

fn placeholders() -> (std::collections::BTreeMap<String, String>, Item) {
    let names = [("#count".to_owned(), "count".to_owned()), ("#fence".to_owned(), "fence".to_owned())].into();
    let values = [
        (":two", number("2")),
        (":three", number("3.0")),
        (":ten", number("10")),
        (":a", text("a")),
        (":list", AttributeValue::L(vec![text("x")])),
    ];
    (names, values.map(|(name, value)| (name.to_owned(), value)).into())
}

fn holds(text: &str) -> Result<bool, String> {
    let (names, values) = placeholders();
    condition("ConditionExpression", text, &Placeholders::new(&names, &values))
        .map(|condition| condition.holds(&item()))
}

fn updated(text: &str) -> Result<Item, String> {
    let (names, values) = placeholders();
    update(text, &Placeholders::new(&names, &values))?.apply(&item())
}

#[test]
fn conditions_mean_what_they_say() {
    for (text, expected) in [
        ("#fence = :three AND holder = :a", true),
        ("#fence = :two OR holder = :a AND #fence > :two", true),
        ("(#fence = :two OR holder = :a) AND #fence < :two", false),
        ("NOT #fence = :two", true),
        ("fence BETWEEN :two AND :ten AND holder = :a", true),
        ("attribute_not_exists(#count)", true),
        ("attribute_exists(#count) or attribute_exists(holder)", true),
        ("begins_with(holder, :a)", true),
        ("size(holder) < :two", true),
        ("#count = :two", false),
        ("#count <> :two", true),
        ("#count < :two", false),
        // 10 is more than 3, though not as text.
        ("fence < :ten", true),
        // Of two types, none is the larger one.
        ("holder < :ten", false),
        ("holder <> :ten", true),
    ] {
        assert_eq!(holds(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_known_or_not_defined_is_refused() {
    for (text, part) in [
        ("", "can not be empty"),
        ("fence =", "<EOF>"),
        ("fence = :two holder", "token: \"holder\""),
        ("fence = :nothing", "attribute value: :nothing"),
        ("#nothing = :two", "attribute name: #nothing"),
        ("count = :two", "reserved keyword: count"),
        ("contains(holder, :a)", "function: contains"),
        ("holder.first = :a", "document path"),
        ("holder[0] = :a", "document path"),
        ("fence ! :two", "token: \"!\""),
        ("fence IN (:two)", "token: \"IN\""),
        ("(fence = :two", "<EOF>"),
    ] {
        let error = holds(text).unwrap_err();
        assert!(
            error.starts_with("Invalid ConditionExpression: ") && error.contains(part),
            "{text}: {error}"
        );
    }
}

#[test]
fn an_update_takes_its_values_from_the_item_before_it() {
    let after = updated("SET #fence = #fence + :two, #count = fence - :two REMOVE holder").unwrap();
    let expected: Item = [("fence".to_owned(), number("5")), ("count".to_owned(), number("1"))].into();
    // 3 as text, not 3.0: the item holds what was written.
    assert_eq!(after, expected);
    let after =
        updated("SET records = list_append(:list, :list), holder = if_not_exists(holder, :two)").unwrap();
    assert_eq!(after["records"], AttributeValue::L(vec![text("x"), text("x")]));
    assert_eq!(after["holder"], text("a"));
}

#[test]
fn an_update_of_what_is_not_there_is_refused() {
    for (text, part) in [
        ("SET #count = #count + :two", "does not exist in the item"),
        ("SET fence = fence + :a", "incorrect data type: S"),
        ("SET fence = list_append(fence, :list)", "incorrect data type"),
        ("ADD fence :two", "token: \"ADD\""),
        ("SET fence :two", "token: \":two\""),
        ("DELETE fence :two", "token: \"DELETE\""),
    ] {
        let error = updated(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_placeholder_that_nothing_uses_is_refused() {
    let (names, values) = placeholders();
    let placeholders = Placeholders::new(&names, &values);
    condition("ConditionExpression", "#fence = :two AND #count = :three", &placeholders).unwrap();
    let error = placeholders.all_used().unwrap_err();
    assert!(error.contains("ExpressionAttributeValues unused") && error.contains(":ten"), "{error}");
}
