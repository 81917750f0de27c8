# The weighted records of a blue-green pair, the journal's table, and what a controller may do. Made by `mpac-deploy infra template`.
#
# Terraform sets every attribute back to what is written here at each apply, except those in ignore_changes: the weights belong to the
# rollout. An apply that changes something else of a record writes the weight that it has just read, so do that between rollouts.

terraform {
  required_version = ">= 1.2"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "hosted_zone_id" {
  type        = string
  description = "The hosted zone of the records."
  default     = "Z0123456789ABCDEFGHIJ"
}

variable "blue_load_balancer_dns_name" {
  type        = string
  description = "dns_name of the load balancer of blue."
  default     = "blue-alb.us-east-1.elb.amazonaws.com"
}

variable "blue_load_balancer_zone_id" {
  type        = string
  description = "zone_id of the load balancer of blue."
  default     = "Z35SXDOTRQ7X7K"
}

variable "green_load_balancer_dns_name" {
  type        = string
  description = "dns_name of the load balancer of green."
  default     = "green-alb.us-east-1.elb.amazonaws.com"
}

variable "green_load_balancer_zone_id" {
  type        = string
  description = "zone_id of the load balancer of green."
  default     = "Z35SXDOTRQ7X7K"
}

variable "blue_initial_weight" {
  type        = number
  description = "The weight of blue when its record is created; ignored afterwards."
  default     = 100

  validation {
    condition     = var.blue_initial_weight >= 0 && var.blue_initial_weight <= 255 && floor(var.blue_initial_weight) == var.blue_initial_weight
    error_message = "A weight is a whole number from 0 to 255."
  }
}

variable "green_initial_weight" {
  type        = number
  description = "The weight of green when its record is created; ignored afterwards."
  default     = 0

  validation {
    condition     = var.green_initial_weight >= 0 && var.green_initial_weight <= 255 && floor(var.green_initial_weight) == var.green_initial_weight
    error_message = "A weight is a whole number from 0 to 255."
  }
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

resource "aws_route53_record" "blue" {
  zone_id        = var.hosted_zone_id
  name           = "api.mpac-cloud.com"
  type           = "A"
  set_identifier = "blue-environment"

  weighted_routing_policy {
    weight = var.blue_initial_weight
  }

  alias {
    name                   = var.blue_load_balancer_dns_name
    zone_id                = var.blue_load_balancer_zone_id
    evaluate_target_health = true
  }

  lifecycle {
    ignore_changes = [
      weighted_routing_policy
    ]
    prevent_destroy = true

    precondition {
      condition     = var.blue_load_balancer_dns_name != var.green_load_balancer_dns_name
      error_message = "Blue and green need a load balancer each: on one, an empty green fails blue too."
    }

    precondition {
      condition     = var.blue_initial_weight + var.green_initial_weight > 0
      error_message = "Two weights of 0 are an equal split, not off."
    }
  }
}

resource "aws_route53_record" "green" {
  zone_id        = var.hosted_zone_id
  name           = "api.mpac-cloud.com"
  type           = "A"
  set_identifier = "green-environment"

  weighted_routing_policy {
    weight = var.green_initial_weight
  }

  alias {
    name                   = var.green_load_balancer_dns_name
    zone_id                = var.green_load_balancer_zone_id
    evaluate_target_health = true
  }

  lifecycle {
    ignore_changes = [
      weighted_routing_policy
    ]
    prevent_destroy = true

    precondition {
      condition     = var.blue_load_balancer_dns_name != var.green_load_balancer_dns_name
      error_message = "Blue and green need a load balancer each: on one, an empty green fails blue too."
    }

    precondition {
      condition     = var.blue_initial_weight + var.green_initial_weight > 0
      error_message = "Two weights of 0 are an equal split, not off."
    }
  }
}

resource "aws_route53_record" "blue_ipv6" {
  zone_id        = var.hosted_zone_id
  name           = "api.mpac-cloud.com"
  type           = "AAAA"
  set_identifier = "blue-environment"

  weighted_routing_policy {
    weight = var.blue_initial_weight
  }

  alias {
    name                   = var.blue_load_balancer_dns_name
    zone_id                = var.blue_load_balancer_zone_id
    evaluate_target_health = true
  }

  lifecycle {
    ignore_changes = [
      weighted_routing_policy
    ]
    prevent_destroy = true

    precondition {
      condition     = var.blue_load_balancer_dns_name != var.green_load_balancer_dns_name
      error_message = "Blue and green need a load balancer each: on one, an empty green fails blue too."
    }

    precondition {
      condition     = var.blue_initial_weight + var.green_initial_weight > 0
      error_message = "Two weights of 0 are an equal split, not off."
    }
  }
}

resource "aws_route53_record" "green_ipv6" {
  zone_id        = var.hosted_zone_id
  name           = "api.mpac-cloud.com"
  type           = "AAAA"
  set_identifier = "green-environment"

  weighted_routing_policy {
    weight = var.green_initial_weight
  }

  alias {
    name                   = var.green_load_balancer_dns_name
    zone_id                = var.green_load_balancer_zone_id
    evaluate_target_health = true
  }

  lifecycle {
    ignore_changes = [
      weighted_routing_policy
    ]
    prevent_destroy = true

    precondition {
      condition     = var.blue_load_balancer_dns_name != var.green_load_balancer_dns_name
      error_message = "Blue and green need a load balancer each: on one, an empty green fails blue too."
    }

    precondition {
      condition     = var.blue_initial_weight + var.green_initial_weight > 0
      error_message = "Two weights of 0 are an equal split, not off."
    }
  }
}

resource "aws_dynamodb_table" "journal" {
  name                        = "mpac-deploy"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
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
}

data "aws_iam_policy_document" "controller" {
  statement {
    sid = "ReadWeights"
    actions = [
      "route53:ListResourceRecordSets"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:route53:::hostedzone/${var.hosted_zone_id}"
    ]
  }

  statement {
    sid = "MoveWeights"
    actions = [
      "route53:ChangeResourceRecordSets"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:route53:::hostedzone/${var.hosted_zone_id}"
    ]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
      values = [
        "api.mpac-cloud.com",
        "_mpac-deploy.api.mpac-cloud.com"
      ]
    }

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsRecordTypes"
      values = [
        "A",
        "AAAA",
        "TXT"
      ]
    }

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsActions"
      values = [
        "CREATE",
        "DELETE",
        "UPSERT"
      ]
    }
  }

  statement {
    sid = "ConfirmChanges"
    actions = [
      "route53:GetChange"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:route53:::change/*"
    ]
  }

  statement {
    sid = "ReadWhatCannotBeLimited"
    actions = [
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
      "elasticloadbalancing:DescribeRules",
      "ecs:DescribeTaskDefinition",
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeTargetGroupAttributes",
      "application-autoscaling:DescribeScalableTargets",
      "cloudwatch:GetMetricData"
    ]
    resources = [
      "*"
    ]
  }

  statement {
    sid = "ListenerRules"
    actions = [
      "elasticloadbalancing:ModifyRule"
    ]
    resources = [
      "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/internal/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
    ]
  }

  statement {
    sid = "Services"
    actions = [
      "ecs:CreateService",
      "ecs:DescribeServices",
      "ecs:UpdateService",
      "ecs:TagResource"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:service/mpac-prod/svc-portal-blue",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:service/mpac-prod/svc-portal-green",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:service/mpac-prod/svc-smarttab-blue",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:service/mpac-prod/svc-smarttab-green",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:service/mpac-prod/mpac-pgw-blue",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:service/mpac-prod/mpac-pgw-green"
    ]
  }

  statement {
    sid = "TaskDefinitions"
    actions = [
      "ecs:RegisterTaskDefinition",
      "ecs:TagResource"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:task-definition/svc-portal:*",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:task-definition/svc-smarttab:*",
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:task-definition/mpac-pgw:*"
    ]
  }

  statement {
    sid = "ListTasks"
    actions = [
      "ecs:ListTasks"
    ]
    resources = [
      "*"
    ]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values = [
        "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:cluster/mpac-prod"
      ]
    }
  }

  statement {
    sid = "Tasks"
    actions = [
      "ecs:DescribeTasks"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:task/mpac-prod/*"
    ]
  }

  statement {
    sid = "PassTaskRoles"
    actions = [
      "iam:PassRole"
    ]
    resources = [
      "arn:aws:iam::123456789012:role/mpac-task",
      "arn:aws:iam::123456789012:role/mpac-execution"
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values = [
        "ecs-tasks.amazonaws.com"
      ]
    }
  }

  statement {
    sid = "SuspendScaling"
    actions = [
      "application-autoscaling:RegisterScalableTarget"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:application-autoscaling:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:scalable-target/*"
    ]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values = [
        "ecs"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:scalable-dimension"
      values = [
        "ecs:service:DesiredCount"
      ]
    }
  }

  statement {
    sid = "Journal"
    actions = [
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:dynamodb:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:table/mpac-deploy"
    ]
  }

  statement {
    sid = "Archive"
    actions = [
      "s3:GetObject",
      "s3:PutObject"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:s3:::mpac-archive/deploy/*"
    ]
  }

  statement {
    sid = "Notices"
    actions = [
      "sns:Publish"
    ]
    resources = [
      "arn:aws:sns:us-east-1:123456789012:mpac-deploys"
    ]
  }
}

resource "aws_iam_policy" "controller" {
  name_prefix = "mpac-deploy-controller-"
  description = "What a controller of mpac-deploy calls, and nothing else"
  policy      = data.aws_iam_policy_document.controller.json
}

output "controller_policy_arn" {
  description = "Attach it to the role that a controller runs with."
  value       = aws_iam_policy.controller.arn
}
