//! The description as a Terraform module.

use hcl::expr::TemplateExpr;
use hcl::format::{Format as _, Formatter};
use hcl::{Block, Body, Expression, block};

use super::description::RecordType;
use super::policy::{self, Condition, Piece, Statement, Text};
use super::{Description, InfraError, Side};

const HEADER: &str = "\
# The weighted records of a blue-green pair, the journal's table, and what a controller may do. Made by `mpac-deploy infra template`.
#
# Terraform sets every attribute back to what is written here at each apply, except those in ignore_changes: the weights belong to the
# rollout. An apply that changes something else of a record writes the weight that it has just read, so do that between rollouts.
";

/// The module, in Terraform's language and laid out as `terraform fmt` does it.
///
/// # Errors
/// [`InfraError`] if the description is one for which there is no right template.
pub fn terraform(description: &Description) -> Result<String, InfraError> {
    description.check()?;
    let mut blocks = vec![settings()];
    blocks.extend(variables(description)?);
    blocks.extend(
        ["aws_partition", "aws_region", "aws_caller_identity"].map(|kind| block!(data (kind) "current" {})),
    );
    for kind in description.types() {
        blocks.push(record("blue", description, &description.blue, *kind)?);
        blocks.push(record("green", description, &description.green, *kind)?);
    }
    blocks.extend(description.journal_table.iter().map(|name| table(name)));
    blocks.extend(policy(description)?);
    let body = Body::from(blocks);
    let mut formatter = Formatter::builder().prefer_ident_keys(true).build_vec();
    let text =
        body.format_string(&mut formatter).map_err(|error| InfraError::Unwritable(error.to_string()))?;
    Ok(format!("{HEADER}\n{}", aligned(&text)))
}

/// Attributes that are named `region` since version 6 of the provider are read below.
fn settings() -> Block {
    block!(terraform {
        required_version = ">= 1.2"
        required_providers {
            aws = {
                source = "hashicorp/aws"
                version = ">= 6.0"
            }
        }
    })
}

fn variables(description: &Description) -> Result<Vec<Block>, InfraError> {
    let mut all = vec![variable(
        "hosted_zone_id",
        "string",
        "The hosted zone of the records.",
        description.hosted_zone_id.as_deref().map(Expression::from),
    )?];
    for (word, side) in [("blue", &description.blue), ("green", &description.green)] {
        let balancer = side.balancer.as_ref();
        let dns = balancer.map(|balancer| balancer.dns_name.as_str().into());
        let zone = balancer.map(|balancer| balancer.zone_id.as_str().into());
        let says = format!("dns_name of the load balancer of {word}.");
        all.push(variable(&format!("{word}_load_balancer_dns_name"), "string", &says, dns)?);
        let says = format!("zone_id of the load balancer of {word}.");
        all.push(variable(&format!("{word}_load_balancer_zone_id"), "string", &says, zone)?);
    }
    for (word, initial) in [("blue", 100), ("green", 0)] {
        let says = format!("The weight of {word} when its record is created; ignored afterwards.");
        let mut weight = variable(&format!("{word}_initial_weight"), "number", &says, Some(initial.into()))?;
        let name = format!("var.{word}_initial_weight");
        let whole = format!("{name} >= 0 && {name} <= 255 && floor({name}) == {name}");
        weight
            .body
            .0
            .push(validation("validation", &whole, "A weight is a whole number from 0 to 255.")?.into());
        all.push(weight);
    }
    Ok(all)
}

fn variable(name: &str, kind: &str, says: &str, default: Option<Expression>) -> Result<Block, InfraError> {
    let mut block = block!(variable (name) {
        type = (expression(kind)?)
        description = (says)
    });
    block.body.0.extend(default.map(|default| hcl::Attribute::new("default", default).into()));
    Ok(block)
}

fn validation(word: &str, condition: &str, says: &str) -> Result<Block, InfraError> {
    Ok(block!((word) {
        condition = (expression(condition)?)
        error_message = (says)
    }))
}

fn record(word: &str, description: &Description, side: &Side, kind: RecordType) -> Result<Block, InfraError> {
    let name = format!("{word}{}", kind.pick("", "_ipv6"));
    let two = validation(
        "precondition",
        "var.blue_load_balancer_dns_name != var.green_load_balancer_dns_name",
        "Blue and green need a load balancer each: on one, an empty green fails blue too.",
    )?;
    let some = validation(
        "precondition",
        "var.blue_initial_weight + var.green_initial_weight > 0",
        "Two weights of 0 are an equal split, not off.",
    )?;
    let mut lifecycle = block!(lifecycle {
        ignore_changes = [(expression("weighted_routing_policy")?)]
        prevent_destroy = true
    });
    lifecycle.body.0.extend([two.into(), some.into()]);
    let mut record = block!(resource "aws_route53_record" (name) {
        zone_id = (expression("var.hosted_zone_id")?)
        name = (description.record.as_str())
        type = (kind.as_str())
        set_identifier = (side.set.as_str())
        weighted_routing_policy {
            weight = (expression(&format!("var.{word}_initial_weight"))?)
        }
        alias {
            name = (expression(&format!("var.{word}_load_balancer_dns_name"))?)
            zone_id = (expression(&format!("var.{word}_load_balancer_zone_id"))?)
            evaluate_target_health = true
        }
    });
    record.body.0.push(lifecycle.into());
    Ok(record)
}

fn table(name: &str) -> Block {
    block!(resource "aws_dynamodb_table" "journal" {
        name = (name)
        billing_mode = "PAY_PER_REQUEST"
        hash_key = "pk"
        range_key = "sk"
        deletion_protection_enabled = true
        attribute {
            name = "pk"
            type = "S"
        }
        attribute {
            name = "sk"
            type = "S"
        }
        point_in_time_recovery {
            enabled = true
        }
        lifecycle {
            prevent_destroy = true
        }
    })
}

fn policy(description: &Description) -> Result<[Block; 3], InfraError> {
    let mut document = block!(data "aws_iam_policy_document" "controller" {});
    document.body.0.extend(policy::statements(description)?.iter().map(|one| statement(one).into()));
    let policy = block!(resource "aws_iam_policy" "controller" {
        name_prefix = "mpac-deploy-controller-"
        description = "What a controller of mpac-deploy calls, and nothing else"
        policy = (expression("data.aws_iam_policy_document.controller.json")?)
    });
    let output = block!(output "controller_policy_arn" {
        description = "Attach it to the role that a controller runs with."
        value = (expression("aws_iam_policy.controller.arn")?)
    });
    Ok([document, policy, output])
}

fn statement(statement: &Statement) -> Block {
    let actions: Vec<Expression> = statement.actions.iter().map(|action| (*action).into()).collect();
    let mut block = block!(statement {
        sid = (statement.sid)
        actions = (actions)
        resources = (texts(&statement.resources))
    });
    block.body.0.extend(statement.condition.iter().flat_map(conditions).map(Into::into));
    block
}

fn conditions(condition: &Condition) -> impl Iterator<Item = Block> {
    condition.keys.iter().map(|(key, values)| {
        block!(condition {
            test = (condition.operator)
            variable = (*key)
            values = (texts(values))
        })
    })
}

fn texts(texts: &[Text]) -> Vec<Expression> {
    texts.iter().map(template).collect()
}

fn template(pieces: &Text) -> Expression {
    if let [Piece::Literal(literal)] = pieces.as_slice() {
        return Expression::from(literal.as_str());
    }
    let written = pieces.iter().map(|piece| match piece {
        Piece::Literal(literal) => literal.as_str(),
        Piece::Partition => "${data.aws_partition.current.partition}",
        Piece::Region => "${data.aws_region.current.region}",
        Piece::Account => "${data.aws_caller_identity.current.account_id}",
        Piece::HostedZone => "${var.hosted_zone_id}",
    });
    Expression::from(TemplateExpr::QuotedString(written.collect()))
}

fn expression(source: &str) -> Result<Expression, InfraError> {
    source.parse().map_err(|error: hcl::Error| InfraError::Unwritable(error.to_string()))
}

/// Lines up the `=` of attributes on neighbouring lines, as `terraform fmt` does: a value over several lines stands by itself.
fn aligned(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let same = |one: &&str, other: &&str| match (key(one), key(other)) {
        (Some(one), Some(other)) => indent(one) == indent(other),
        _ => false,
    };
    let mut out = String::with_capacity(text.len());
    for group in lines.chunk_by(same) {
        let width = group.iter().filter_map(|line| key(line)).map(str::len).max().unwrap_or_default();
        for line in group {
            match key(line) {
                Some(key) => {
                    let value = line.get(key.len()..).unwrap_or_default().trim_start();
                    out.push_str(&format!("{key:width$} {value}"));
                }
                None => out.push_str(line),
            }
            out.push('\n');
        }
    }
    out
}

/// What stands before the `=` of an attribute on one line, with its indentation.
fn key(line: &str) -> Option<&str> {
    let (key, value) = line.split_once(" = ")?;
    let word = key.trim_start().chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (word && !value.ends_with(['[', '{'])).then_some(key)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
