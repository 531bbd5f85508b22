output "name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "The function's ARN, without alias."
  value       = aws_lambda_function.this.arn
}

output "alias" {
  description = "The alias that callers use."
  value       = local.live.name
}

output "alias_arn" {
  description = "The alias's ARN."
  value       = local.live.arn
}

output "invoke_arn" {
  description = "The URI by which API Gateway invokes the alias."
  value       = local.live.invoke_arn
}

output "role" {
  description = "The name of its role."
  value       = aws_iam_role.this.name
}

output "log_group" {
  description = "The log group it writes to."
  value       = aws_cloudwatch_log_group.this.name
}

output "policy" {
  description = "What it may do, as an IAM policy document."
  value       = local.policy
}

output "deployment" {
  description = "What `aws deploy create-deployment` needs to move the alias to the newest version; null without gradual_deployment."
  value = !local.gradual ? null : {
    application_name      = aws_codedeploy_app.this[0].name
    deployment_group_name = aws_codedeploy_deployment_group.this[0].deployment_group_name
    revision = jsonencode({
      revisionType = "AppSpecContent"
      appSpecContent = {
        content = jsonencode({
          version = 0.0
          Resources = [{
            (local.alias) = {
              Type = "AWS::Lambda::Function"
              Properties = {
                Name           = aws_lambda_function.this.function_name
                Alias          = local.alias
                CurrentVersion = local.live.function_version
                TargetVersion  = aws_lambda_function.this.version
              }
            }
          }]
        })
      }
    })
  }
}
