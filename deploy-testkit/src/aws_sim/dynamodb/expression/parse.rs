//! From words to what they say.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::reserved::is_reserved;
use super::super::value::AttributeValue;
use super::lex::{Token, tokens};
use super::{Comparator, Condition, Operand, Sum, Update};

/// The names and values that an expression refers to, and which of them were.
#[derive(Debug)]
pub(in super::super) struct Placeholders<'a> {
    pub(in super::super) names: &'a BTreeMap<String, String>,
    pub(in super::super) values: &'a BTreeMap<String, AttributeValue>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Placeholders<'a> {
    pub(in super::super) fn new(
        names: &'a BTreeMap<String, String>,
        values: &'a BTreeMap<String, AttributeValue>,
    ) -> Self {
        Self { names, values, used: RefCell::default() }
    }

    /// AWS refuses a request with placeholders that nothing refers to.
    pub(in super::super) fn all_used(&self) -> Result<(), String> {
        let used = self.used.borrow();
        let unused = |kind: &str, keys: Vec<&String>| {
            let unused: Vec<&str> =
                keys.into_iter().filter(|key| !used.contains(*key)).map(String::as_str).collect();
            if unused.is_empty() {
                return Ok(());
            }
            Err(format!("Value provided in {kind} unused in expressions: keys: {{{}}}", unused.join(", ")))
        };
        unused("ExpressionAttributeNames", self.names.keys().collect())?;
        unused("ExpressionAttributeValues", self.values.keys().collect())
    }
}

/// Reads one expression.
pub(super) struct Parser<'a> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    placeholders: &'a Placeholders<'a>,
}

type Parsed<T> = Result<T, String>;

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, placeholders: &'a Placeholders<'a>) -> Parsed<Self> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Err("The expression can not be empty;".into());
        }
        Ok(Self { tokens: tokens.into_iter().peekable(), placeholders })
    }

    /// `a OR b`, to the end of the expression.
    pub(super) fn condition(mut self) -> Parsed<Condition> {
        let condition = self.any()?;
        self.end()?;
        Ok(condition)
    }

    /// `SET a = b, c = d REMOVE e`
    pub(super) fn update(mut self) -> Parsed<Update> {
        let mut update = Update::default();
        while let Some(token) = self.tokens.next() {
            if token.is("SET") {
                self.list(|parser| {
                    let name = parser.path()?;
                    parser.expect("=")?;
                    let value = parser.sum()?;
                    update.set.push((name, value));
                    Ok(())
                })?;
            } else if token.is("REMOVE") {
                self.list(|parser| {
                    update.remove.push(parser.path()?);
                    Ok(())
                })?;
            } else {
                return Err(unexpected(Some(&token)));
            }
        }
        Ok(update)
    }

    /// `a, b, c`
    pub(super) fn paths(mut self) -> Parsed<Vec<String>> {
        let mut paths = Vec::new();
        self.list(|parser| {
            paths.push(parser.path()?);
            Ok(())
        })?;
        self.end()?;
        Ok(paths)
    }

    fn list(&mut self, mut one: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        loop {
            one(self)?;
            if !self.take(",") {
                return Ok(());
            }
        }
    }

    fn any(&mut self) -> Parsed<Condition> {
        let mut condition = self.all()?;
        while self.take("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.all()?));
        }
        Ok(condition)
    }

    fn all(&mut self) -> Parsed<Condition> {
        let mut condition = self.one()?;
        while self.take("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.one()?));
        }
        Ok(condition)
    }

    fn one(&mut self) -> Parsed<Condition> {
        if self.take("NOT") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.take("(") {
            let condition = self.any()?;
            self.expect(")")?;
            return Ok(condition);
        }
        if self.take_function("attribute_exists")? {
            let path = self.path()?;
            self.expect(")")?;
            return Ok(Condition::Exists(path));
        }
        if self.take_function("attribute_not_exists")? {
            let path = self.path()?;
            self.expect(")")?;
            return Ok(Condition::Not(Box::new(Condition::Exists(path))));
        }
        if self.take_function("begins_with")? {
            let subject = self.operand()?;
            self.expect(",")?;
            let prefix = self.operand()?;
            self.expect(")")?;
            return Ok(Condition::BeginsWith(subject, prefix));
        }
        let left = self.operand()?;
        if self.take("BETWEEN") {
            let low = self.operand()?;
            self.expect("AND")?;
            return Ok(Condition::Between(left, low, self.operand()?));
        }
        let token = self.tokens.next();
        let comparator = token.as_ref().and_then(|token| Comparator::of(token.shown()));
        let comparator = comparator.ok_or_else(|| unexpected(token.as_ref()))?;
        Ok(Condition::Compare(left, comparator, self.operand()?))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        if self.take_function("size")? {
            let path = self.path()?;
            self.expect(")")?;
            return Ok(Operand::Size(path));
        }
        if let Some(Token::Value(name)) = self.tokens.peek().cloned() {
            self.tokens.next();
            return self.value(name).map(Operand::Value);
        }
        self.path().map(Operand::Path)
    }

    fn sum(&mut self) -> Parsed<Sum> {
        let first = self.term()?;
        let minus = self.take("-");
        if minus || self.take("+") {
            let second = self.term()?;
            return Ok(if minus { Sum::Difference(first, second) } else { Sum::Total(first, second) });
        }
        Ok(Sum::Only(first))
    }

    fn term(&mut self) -> Parsed<super::Term> {
        if self.take_function("if_not_exists")? {
            let path = self.path()?;
            self.expect(",")?;
            let otherwise = self.operand()?;
            self.expect(")")?;
            return Ok(super::Term::IfNotExists(path, otherwise));
        }
        if self.take_function("list_append")? {
            let front = self.operand()?;
            self.expect(",")?;
            let back = self.operand()?;
            self.expect(")")?;
            return Ok(super::Term::ListAppend(front, back));
        }
        self.operand().map(super::Term::Operand)
    }

    fn value(&self, name: String) -> Parsed<AttributeValue> {
        let found = self.placeholders.values.get(&name).cloned().ok_or_else(|| {
            format!(
                "An expression attribute value used in expression is not defined; attribute value: {name}"
            )
        })?;
        self.placeholders.used.borrow_mut().insert(name);
        Ok(found)
    }

    /// The name of an attribute. Paths into lists and maps are not known here.
    fn path(&mut self) -> Parsed<String> {
        let token = self.tokens.next();
        let name = match token {
            Some(Token::Name(placeholder)) => {
                let name = self.placeholders.names.get(&placeholder).cloned().ok_or_else(|| {
                    format!(
                        "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
                    )
                })?;
                self.placeholders.used.borrow_mut().insert(placeholder);
                name
            }
            Some(Token::Word(word)) if is_reserved(&word) => {
                return Err(format!("Attribute name is a reserved keyword; reserved keyword: {word}"));
            }
            Some(Token::Word(word)) => word,
            other => return Err(unexpected(other.as_ref())),
        };
        if self.tokens.peek().is_some_and(|token| matches!(token.shown(), "." | "[")) {
            return Err(
                "The simulated DynamoDB knows no document path below the attributes of an item".into()
            );
        }
        Ok(name)
    }

    /// Whether a function of this name comes next. Any other function is refused.
    fn take_function(&mut self, name: &str) -> Parsed<bool> {
        let mut ahead = self.tokens.clone();
        let (Some(Token::Word(word)), Some(Token::Sign("("))) = (ahead.next(), ahead.next()) else {
            return Ok(false);
        };
        let keyword = ["AND", "OR", "NOT"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword));
        if !keyword && !FUNCTIONS.contains(&word.as_str()) {
            return Err(format!("Invalid function name; function: {word}"));
        }
        if word == name {
            self.tokens = ahead;
        }
        Ok(word == name)
    }

    fn take(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| token.is(word)).is_some()
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        let token = self.tokens.next();
        if token.as_ref().is_some_and(|token| token.is(word)) {
            Ok(())
        } else {
            Err(unexpected(token.as_ref()))
        }
    }

    fn end(&mut self) -> Parsed<()> {
        self.tokens.next().map_or(Ok(()), |token| Err(unexpected(Some(&token))))
    }
}

/// The functions that are known; AWS has more.
const FUNCTIONS: [&str; 6] =
    ["attribute_exists", "attribute_not_exists", "begins_with", "size", "if_not_exists", "list_append"];

impl Token {
    /// Whether it is this keyword, in any case, or this sign.
    fn is(&self, word: &str) -> bool {
        match self {
            Self::Word(text) => text.eq_ignore_ascii_case(word),
            Self::Sign(sign) => *sign == word,
            Self::Name(_) | Self::Value(_) => false,
        }
    }
}

fn unexpected(token: Option<&Token>) -> String {
    format!("Syntax error; token: \"{}\"", token.map_or("<EOF>", Token::shown))
}
