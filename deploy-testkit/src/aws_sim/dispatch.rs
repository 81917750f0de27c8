//! Which call is answered by which function.

use super::operation::Operation;
use super::wire::{Call, Refusal};
use super::{Shared, autoscaling, cloudwatch, dynamodb, ecs, elbv2, iam, route53, s3, sns};

/// The body of the service's answer.
pub(super) fn answer(shared: &Shared, operation: Operation, call: &Call) -> Result<Vec<u8>, Refusal> {
    match operation {
        Operation::ListResourceRecordSets => route53::list(shared, call),
        Operation::ChangeResourceRecordSets => route53::change(shared, call),
        Operation::GetChange => route53::get_change(shared, call),
        Operation::DescribeScalableTargets => autoscaling::describe_scalable_targets(shared, call),
        Operation::RegisterScalableTarget => autoscaling::register_scalable_target(shared, call),
        Operation::GetObject => s3::get(shared, call),
        Operation::PutObject => s3::put(shared, call),
        Operation::CreateService => ecs::create_service(shared, call),
        Operation::DescribeServices => ecs::describe_services(shared, call),
        Operation::DescribeTaskDefinition => ecs::describe_task_definition(shared, call),
        Operation::DescribeTasks => ecs::describe_tasks(shared, call),
        Operation::ListTasks => ecs::list_tasks(shared, call),
        Operation::RegisterTaskDefinition => ecs::register_task_definition(shared, call),
        Operation::TagResource => ecs::tag_resource(shared, call),
        Operation::UpdateService => ecs::update_service(shared, call),
        Operation::DescribeTargetGroupAttributes => elbv2::describe_target_group_attributes(shared, call),
        Operation::DescribeTargetGroups => elbv2::describe_target_groups(shared, call),
        Operation::DescribeTargetHealth => elbv2::describe_target_health(shared, call),
        Operation::DescribeListeners => elbv2::describe_listeners(shared, call),
        Operation::DescribeLoadBalancers => elbv2::describe_load_balancers(shared, call),
        Operation::DescribeRules => elbv2::describe_rules(shared, call),
        Operation::ModifyRule => elbv2::modify_rule(shared, call),
        Operation::CreateTable => dynamodb::create_table(shared, call),
        Operation::DescribeTable => dynamodb::describe_table(shared, call),
        Operation::UpdateContinuousBackups => dynamodb::update_continuous_backups(shared, call),
        Operation::GetItem => dynamodb::get_item(shared, call),
        Operation::PutItem => dynamodb::put_item(shared, call),
        Operation::UpdateItem => dynamodb::update_item(shared, call),
        Operation::DeleteItem => dynamodb::delete_item(shared, call),
        Operation::Query => dynamodb::query(shared, call),
        Operation::GetCallerIdentity => iam::get_caller_identity(),
        Operation::GetRole => iam::get_role(shared, call),
        Operation::SimulatePrincipalPolicy => iam::simulate_principal_policy(shared, call),
        Operation::Publish => sns::publish(shared, call),
        Operation::GetMetricData => cloudwatch::get_metric_data(shared, call),
        Operation::PutMetricData => cloudwatch::put_metric_data(shared, call),
    }
}
