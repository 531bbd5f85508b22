# The alias. With gradual_deployment CodeDeploy moves it, otherwise Terraform;
# `ignore_changes` cannot depend on a variable, hence two resources of which
# there is one.

locals {
  gradual = var.settings.gradual_deployment != null
  live    = one(concat(aws_lambda_alias.live, aws_lambda_alias.gradual))
}

resource "aws_lambda_alias" "live" {
  count = local.gradual ? 0 : 1

  name             = local.alias
  description      = "What API Gateway calls"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_alias" "gradual" {
  count = local.gradual ? 1 : 0

  name             = local.alias
  description      = "What API Gateway calls; CodeDeploy moves it"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  count = var.settings.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = local.live.name
  provisioned_concurrent_executions = var.settings.provisioned_concurrency

  lifecycle {
    precondition {
      condition     = var.settings.reserved_concurrency == null || coalesce(var.settings.reserved_concurrency, 0) >= var.settings.provisioned_concurrency
      error_message = "provisioned_concurrency (${var.settings.provisioned_concurrency}) is more than reserved_concurrency: Lambda refuses that."
    }
    precondition {
      condition     = length(var.settings.provisioned_schedule) == 0
      error_message = "provisioned_concurrency and provisioned_schedule would undo one another: give the one that never changes or the one that does."
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  count = length(var.settings.provisioned_schedule) > 0 ? 1 : 0

  service_namespace  = "lambda"
  scalable_dimension = "lambda:function:ProvisionedConcurrency"
  resource_id        = "function:${aws_lambda_function.this.function_name}:${local.live.name}"
  min_capacity       = min(var.settings.provisioned_schedule[*].capacity...)
  max_capacity       = max(var.settings.provisioned_schedule[*].capacity...)
  tags               = var.tags

  lifecycle {
    # A scheduled action sets both.
    ignore_changes = [min_capacity, max_capacity]
  }
}

resource "aws_appautoscaling_scheduled_action" "this" {
  for_each = { for s in var.settings.provisioned_schedule : s.name => s }

  name               = each.key
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  schedule           = each.value.schedule
  timezone           = each.value.timezone

  scalable_target_action {
    min_capacity = each.value.capacity
    max_capacity = each.value.capacity
  }
}
