# Access logs, which tell what API Gateway answered from its cache too, and
# alarms.

data "aws_partition" "current" {}

resource "aws_cloudwatch_log_group" "access" {
  for_each = toset(compact([var.rest == null ? "" : "rest", var.http == null ? "" : "http"]))

  name              = "/aws/apigateway/${var.name}-${each.value}"
  retention_in_days = coalesce(var.function.log_retention_days, 90)
  kms_key_id        = var.function.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "account_logs" {
  count = var.account_log_role ? 1 : 0

  name                 = "${var.name}-apigateway-logs"
  description          = "With which API Gateway writes logs, in this whole account and Region"
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "apigateway.amazonaws.com" } }]
  })
}

# The account's setting is for every API there is and will be, so this is AWS's
# own policy for it.
resource "aws_iam_role_policy_attachment" "account_logs" {
  count = var.account_log_role ? 1 : 0

  role       = aws_iam_role.account_logs[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count = var.account_log_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.account_logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.account_logs]
}

module "alarms" {
  source = "../alarms"
  count  = var.alarm_topics == null ? 0 : 1

  prefix = var.name
  topics = var.alarm_topics
  tags   = var.tags

  alarms = {
    ItemsErrors = {
      description = "The items function fails."
      metric      = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum", dimensions = { FunctionName = module.function.name } }
      threshold   = 5, periods = 3, datapoints = 1
    }
    ItemsSlow = {
      description = "One in a hundred invocations of the items function takes over a second."
      metric      = { namespace = "AWS/Lambda", name = "Duration", stat = "p99", dimensions = { FunctionName = module.function.name } }
      comparison  = "GreaterThanThreshold"
      threshold   = 1000, periods = 5, datapoints = 3
    }
    ItemsThrottled = {
      description = "The items function has no concurrency left."
      metric      = { namespace = "AWS/Lambda", name = "Throttles", stat = "Sum", dimensions = { FunctionName = module.function.name } }
      threshold   = 1, periods = 3, datapoints = 2
    }
    RouteWithoutAuthorizer = {
      description = "A request reached the items function without an authorizer."
      metric      = { namespace = "LambdaAuthorizer/Items", name = "Requests", stat = "Sum", dimensions = { outcome = "fault", reason = "context_missing" } }
      threshold   = 1, periods = 1, datapoints = 1
    }
    ItemsTableThrottled = {
      description = "DynamoDB throttles the items table."
      expression  = "FILL(reads, 0) + FILL(writes, 0)", label = "throttled events"
      metrics = {
        reads  = { namespace = "AWS/DynamoDB", name = "ReadThrottleEvents", dimensions = { TableName = module.table.name } }
        writes = { namespace = "AWS/DynamoDB", name = "WriteThrottleEvents", dimensions = { TableName = module.table.name } }
      }
      threshold = 1, periods = 3, datapoints = 2
    }
  }
}
