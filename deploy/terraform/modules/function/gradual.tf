# A gradual deployment: CodeDeploy moves the alias to a new version in steps and
# back at the first alarm. Terraform publishes the version; whoever deploys
# starts the deployment with the output `deployment`.

resource "aws_codedeploy_app" "this" {
  count = local.gradual ? 1 : 0

  name             = var.name
  compute_platform = "Lambda"
  tags             = var.tags
}

resource "aws_iam_role" "deployment" {
  count = local.gradual ? 1 : 0

  name                 = "${var.name}-deploy"
  description          = "Of CodeDeploy, which moves the alias of ${var.name}"
  permissions_boundary = var.settings.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codedeploy.amazonaws.com" } }]
  })
}

# What CodeDeploy does to this function, and the alarms it watches:
# https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
# DescribeAlarms has no resources to name.
resource "aws_iam_role_policy" "deployment" {
  count = local.gradual ? 1 : 0

  name = "deployment"
  role = aws_iam_role.deployment[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "MoveTheAlias"
        Effect   = "Allow"
        Action   = ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]
        Resource = [aws_lambda_function.this.arn, "${aws_lambda_function.this.arn}:${local.alias}"]
      },
      { Sid = "WatchAlarms", Effect = "Allow", Action = ["cloudwatch:DescribeAlarms"], Resource = ["*"] },
    ]
  })
}

resource "aws_codedeploy_deployment_group" "this" {
  count = local.gradual ? 1 : 0

  app_name               = aws_codedeploy_app.this[0].name
  deployment_group_name  = local.alias
  deployment_config_name = "CodeDeployDefault.${var.settings.gradual_deployment}"
  service_role_arn       = aws_iam_role.deployment[0].arn
  tags                   = var.tags

  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }

  alarm_configuration {
    enabled = length(var.rollback_alarms) > 0
    alarms  = var.rollback_alarms
  }
}
