# One Lambda function from a zip of this project: its role, its log, a version
# for every change, and the alias `live` that callers use.

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  alias     = "live"
  log_group = "/aws/lambda/${var.name}"

  # The only wildcards: a log stream's name is Lambda's to choose, and X-Ray has
  # no resources to name (Service Authorization Reference, AWS X-Ray).
  own_statements = [
    for s in [
      { when = true, sid = "WriteLog", actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${aws_cloudwatch_log_group.this.arn}:*"], via = null },
      { when = var.settings.tracing, sid = "WriteTraces", actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources = ["*"], via = null },
    ] : s if s.when
  ]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for s in concat(local.own_statements, [for s in var.statements : merge(s, { when = true })]) : {
        for key, value in {
          Sid       = s.sid
          Effect    = "Allow"
          Action    = s.actions
          Resource  = s.resources
          Condition = s.via == null ? null : { StringEquals = { "kms:ViaService" = "${s.via}.${data.aws_region.current.name}.${data.aws_partition.current.dns_suffix}" } }
        } : key => value if value != null
      }
    ]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.settings.log_retention_days
  kms_key_id        = var.settings.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Of the Lambda function ${var.name}"
  permissions_boundary = var.settings.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "function"
  role   = aws_iam_role.this.name
  policy = local.policy
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = var.description
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  role             = aws_iam_role.this.arn
  memory_size      = var.settings.memory_mb
  timeout          = var.settings.timeout_seconds
  publish          = true
  tags             = var.tags

  reserved_concurrent_executions = coalesce(var.settings.reserved_concurrency, -1)

  environment {
    variables = merge(var.environment, { LOG_LEVEL = var.settings.log_level })
  }

  tracing_config {
    mode = var.settings.tracing ? "Active" : "PassThrough"
  }

  # JSON for Lambda's own lines; the function's are JSON already and pass as
  # they are. No application_log_level: a decision line has no `level`, counts
  # as INFO, and would be dropped, its metrics with it, from WARN on.
  # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  # The function starts with its first permission, not before it.
  depends_on = [aws_iam_role_policy.this]
}
