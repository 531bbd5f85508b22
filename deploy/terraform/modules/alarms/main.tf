# CloudWatch alarms from a table of them.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.alarms

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = "${each.value.description} RUNBOOK.md, ${coalesce(each.value.runbook, each.key)}"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  threshold_metric_id = each.value.band == null ? null : "band"
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.topics
  ok_actions          = var.topics
  tags                = var.tags

  namespace          = one(each.value.metric[*].namespace)
  metric_name        = one(each.value.metric[*].name)
  dimensions         = one(each.value.metric[*].dimensions)
  period             = each.value.metric == null ? null : each.value.period
  statistic          = can(regex("^p", one(each.value.metric[*].stat))) ? null : one(each.value.metric[*].stat)
  extended_statistic = can(regex("^p", one(each.value.metric[*].stat))) ? one(each.value.metric[*].stat) : null

  dynamic "metric_query" {
    for_each = each.value.expression[*]
    content {
      id          = "value"
      expression  = metric_query.value
      label       = each.value.label
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = each.value.band[*]
    content {
      id          = "band"
      expression  = metric_query.value
      label       = "usual"
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = each.value.metrics
    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = each.value.period
      }
    }
  }
}
