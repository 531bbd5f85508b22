# One page that shows what the authorizers do, what that waits for, and what it
# costs.

locals {
  sources      = join(" | ", [for group in local.log_groups : "SOURCE '${group}'"])
  memory_gb    = coalesce(var.function.memory_mb, 512) / 1024
  invocations  = join("+", [for i, kind in keys(local.apis) : "FILL(i${i},0)"])
  milliseconds = join("+", [for i, kind in keys(local.apis) : "FILL(d${i},0)"])

  # Three columns, row by row.
  panels = concat(
    [
      { type = "metric", title = "Decisions by outcome", stacked = true, metrics = [for o in keys(local.outcome) : ["LambdaAuthorizer", "Decisions", "outcome", o]] },
      { type = "metric", title = "Refusals and faults by reason", metrics = [[{ expression = "SEARCH('{LambdaAuthorizer,outcome,reason} MetricName=\"Decisions\"', 'Sum', 60)", id = "e", label = "" }]] },
      { type = "metric", title = "Latency of decisions, ms", metrics = [
        for m in [["allow", "p50"], ["allow", "p99"], ["unauthorized", "p99"], ["deny", "p99"]] :
        ["LambdaAuthorizer", "Latency", "outcome", m[0], { stat = m[1], label = "${m[0]} ${m[1]}" }]
      ] },
      { type = "log", title = "Latency by step, p99 in ms", query = "${local.sources} | filter ispresent(outcome) | stats ${join(", ", [
        for step in ["event", "credential", "revocation", "address", "route", "grants", "replay", "answer"] : "pct(steps_us.${step},99)/1000 as ${step}"
      ])} by bin(5m)" },
      { type = "log", title = "Cache hits in percent: tokens, policies", query = "${local.sources} | filter ispresent(outcome) | stats 100*count(token_cached)/count(*) as token, 100*count(policy_cached)/count(*) as policy by bin(5m)" },
      { type = "metric", title = "Dependency faults, open breaker, key set fetches", metrics = concat(
        [for i, metric in ["DependencyFault", "BreakerOpen", "JwksRefresh"] : [{ expression = "SUM(SEARCH('{LambdaAuthorizer,outcome} MetricName=\"${metric}\"', 'Sum', 60))", id = "m${i}", label = metric }]],
        [[local.filters, "JwksRefreshFailures", { label = "failed key set fetches" }]],
      ) },
    ],
    !local.revocations ? [] : [
      { type = "metric", title = "Reads of the revocations table", metrics = [
        [{ expression = "SUM(SEARCH('{LambdaAuthorizer,outcome} MetricName=\"RevocationReads\"', 'Sum', 60))", id = "r", label = "reads for decisions" }],
        ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", local.revocations_table.name, { label = "read units" }],
      ] },
    ],
    [
      { type = "metric", title = "Cost per million decisions, US dollars", period = 3600, metrics = concat(
        [for i, kind in keys(local.apis) : ["AWS/Lambda", "Invocations", "FunctionName", module.function[kind].name, { id = "i${i}", visible = false }]],
        [for i, kind in keys(local.apis) : ["AWS/Lambda", "Duration", "FunctionName", module.function[kind].name, { id = "d${i}", visible = false }]],
        !local.revocations ? [] : [["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", local.revocations_table.name, { id = "r", visible = false }]],
        [[{
          id         = "cost", label = "Lambda and DynamoDB"
          expression = "((${local.invocations})*${var.alarms.prices.million_invocations}+(${local.milliseconds})*1000*${local.memory_gb}*${var.alarms.prices.gb_second}${local.revocations ? "+FILL(r,0)*${var.alarms.prices.million_reads}" : ""})/(${local.invocations})"
        }]],
      ) },
      { type = "metric", title = "Throttles and executions at once", metrics = flatten([for kind in keys(local.apis) : [
        { row = ["AWS/Lambda", "Throttles", "FunctionName", module.function[kind].name, { label = "${kind} throttles" }] },
        { row = ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", module.function[kind].name, { label = "${kind} executions", stat = "Maximum" }] },
      ]])[*].row },
    ],
    [
      for title, stage in local.stages : { type = "metric", title = "${upper(title)} API", metrics = [
        for metric in ["Count", stage.refused, stage.failed, "IntegrationLatency"] : concat(
          ["AWS/ApiGateway", metric], flatten([for name in sort(keys(stage.dimensions)) : [name, stage.dimensions[name]]]),
          metric == "IntegrationLatency" ? [{ label = "integration p99, ms", stat = "p99", yAxis = "right" }] : [],
        )
      ] }
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.alarms.enabled ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for i, panel in local.panels : {
        type = panel.type, x = i % 3 * 8, y = floor(i / 3) * 6, width = 8, height = 6
        properties = {
          for key, value in {
            title   = panel.title
            region  = data.aws_region.current.name
            view    = "timeSeries"
            stat    = panel.type == "metric" ? "Sum" : null
            period  = panel.type == "metric" ? try(panel.period, 60) : null
            stacked = try(panel.stacked, null)
            metrics = try(panel.metrics, null)
            query   = try(panel.query, null)
          } : key => value if value != null
        }
      }
    ]
  })
}
