//! SARIF 2.1.0, which code hosts and editors read.

use serde_json::{Value, json};

use crate::class::Severity;
use crate::report::{Finding, Report, StatementReport};
use crate::rule::Rule;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A SARIF log with one run; every finding is a result, also notes.
///
/// # Errors
///
/// None that is known: serialization into a string of plain data.
pub fn sarif(report: &Report) -> Result<String, serde_json::Error> {
    let rules: Vec<Value> = Rule::ALL
        .iter()
        .map(|rule| json!({ "id": rule.id(), "shortDescription": { "text": rule.summary() } }))
        .collect();
    let results: Vec<Value> = report
        .statements
        .iter()
        .flat_map(|statement| statement.findings.iter().map(move |finding| result(statement, finding)))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mpac-deploy migrations check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn result(statement: &StatementReport, finding: &Finding) -> Value {
    let text = match &finding.fix {
        Some(fix) => format!("{}\n\n{fix}", finding.message),
        None => finding.message.clone(),
    };
    json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == finding.rule),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&statement.file) },
            "region": { "startLine": finding.position.line, "startColumn": finding.position.column },
        }}],
        "properties": { "class": statement.class },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A path as a URI reference: what is not plain is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("db/a b.sql"), "db/a%20b.sql");
        assert_eq!(uri("ä"), "%C3%A4");
    }
}
