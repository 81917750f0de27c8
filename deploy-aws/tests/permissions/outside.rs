//! Another client of AWS asks the simulated IAM.

use mpac_deploy_testkit::aws_sim::iam;

use crate::common::python;
use crate::sim;

const BOTO3: &str = r#"
answer = client.simulate_principal_policy(
    PolicySourceArn=sys.argv[2], ActionNames=["ecs:UpdateService", "iam:PassRole", "s3:GetObject"], ResourceArns=["arn:1/blue", "arn:1/green"])
for result in answer["EvaluationResults"]:
    print(result["EvalActionName"], result["EvalDecision"],
          [(one["EvalResourceName"], one["EvalResourceDecision"], one["MissingContextValues"]) for one in result["ResourceSpecificResults"]])
pages = client.get_paginator("simulate_principal_policy").paginate(
    PolicySourceArn=sys.argv[2], ActionNames=["ecs:UpdateService", "s3:GetObject"], PaginationConfig={"PageSize": 1})
print([(result["EvalActionName"], result["EvalResourceName"], result["EvalDecision"]) for page in pages for result in page["EvaluationResults"]])
role = client.get_role(RoleName="mpac-deploy")["Role"]
print(role["Arn"] == sys.argv[2], role["Path"], role["CreateDate"].tzinfo is not None)
sts = boto3.client("sts", endpoint_url=sys.argv[1], region_name="us-east-1",
                   aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
print(sts.get_caller_identity()["Arn"])
for refused in (lambda: client.get_role(RoleName="nobody"), lambda: client.simulate_principal_policy(
        PolicySourceArn=sys.argv[2], ActionNames=["UpdateService"])):
    try:
        refused()
    except client.exceptions.ClientError as error:
        print(error.response["Error"]["Code"])
"#;

#[tokio::test]
#[ignore = "needs boto3 of xtask/python-requirements.txt: run `cargo xtask test`"]
async fn boto3_is_told_what_a_policy_allows() {
    let aws =
        sim(r#"{"Effect": "Allow", "Action": ["ecs:*", "iam:Simulate*", "iam:GetRole"], "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "*/green"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}}"#)
        .await;
    let lines = python("iam", BOTO3, &[&aws.endpoint_url(), iam::ROLE_ARN]).await;
    let expected = [
        "ecs:UpdateService explicitDeny [('arn:1/blue', 'allowed', []), ('arn:1/green', 'explicitDeny', [])]",
        "iam:PassRole implicitDeny [('arn:1/blue', 'implicitDeny', ['iam:PassedToService']), ('arn:1/green', 'implicitDeny', ['iam:PassedToService'])]",
        "s3:GetObject implicitDeny [('arn:1/blue', 'implicitDeny', []), ('arn:1/green', 'implicitDeny', [])]",
        "[('ecs:UpdateService', '*', 'allowed'), ('s3:GetObject', '*', 'implicitDeny')]",
        "True /deploy/ True",
        "arn:aws:sts::123456789012:assumed-role/mpac-deploy/simulated",
        "NoSuchEntity",
        "InvalidInput",
    ];
    assert_eq!(lines, expected);
}
