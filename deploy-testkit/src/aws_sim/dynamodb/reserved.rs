//! The words that AWS does not take as the name of an attribute in an expression: it wants a placeholder for them.

/// The developer guide's page "Reserved words in DynamoDB".
const WORDS: &str = include_str!("reserved.txt");

pub(super) fn is_reserved(name: &str) -> bool {
    WORDS.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_reserved_in_any_case() {
        assert!(is_reserved("COUNT") && is_reserved("Ttl") && is_reserved("zone"));
        assert!(!is_reserved("fence") && !is_reserved(""));
        assert_eq!(WORDS.split_ascii_whitespace().count(), 573);
    }
}
