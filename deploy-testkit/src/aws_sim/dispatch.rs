//! Which call is answered by which function.

use super::operation::Operation;
use super::wire::{Call, Refusal};
use super::{Shared, elbv2, route53};

/// The body of the service's answer.
pub(super) fn answer(shared: &Shared, operation: Operation, call: &Call) -> Result<Vec<u8>, Refusal> {
    match operation {
        Operation::ListResourceRecordSets => route53::list(shared, call),
        Operation::ChangeResourceRecordSets => route53::change(shared, call),
        Operation::GetChange => route53::get_change(shared, call),
        Operation::DescribeRules => elbv2::describe_rules(shared, call),
        Operation::ModifyRule => elbv2::modify_rule(shared, call),
    }
}
