# The alarms of alarms.tf, the page over them, and what answers questions.

locals {
  defined = merge(
    { for key, alarm in local.of_decisions : key => alarm if var.alarms.decisions },
    local.of_key_sets, local.of_functions, local.of_rotation, local.of_tables, local.of_apis,
  )
  alarm_names = merge(module.alarms[*].names...)

  # What somebody must get up for: callers are turned away who should not be,
  # or let in unchecked.
  paging = [for key, name in local.alarm_names : name if can(regex("^(DependencyFaults|BreakerOpen|[A-Za-z]+AuthorizerErrors|[A-Za-z]+AuthorizerThrottled|[A-Za-z]+5xx)$", key))]

  log_groups = [for f in module.function : f.log_group]
}

module "alarms" {
  source = "./modules/alarms"
  count  = var.alarms.enabled ? 1 : 0

  prefix = var.name
  alarms = local.defined
  topics = var.alarms.topics
  tags   = var.tags
}

resource "aws_cloudwatch_composite_alarm" "page" {
  count = var.alarms.enabled ? 1 : 0

  alarm_name        = "${var.name}-Page"
  alarm_description = "Callers are turned away who should not be, or let in unchecked. RUNBOOK.md, Page"
  alarm_rule        = join(" OR ", [for name in concat(local.paging, var.alarms.page_also) : "ALARM(\"${name}\")"])
  alarm_actions     = concat(var.alarms.topics, var.alarms.page_topics)
  ok_actions        = concat(var.alarms.topics, var.alarms.page_topics)
  tags              = var.tags
}

# Deliberate 401s, to be taken off the function's errors.
resource "aws_cloudwatch_log_metric_filter" "unauthorized" {
  for_each = { for kind, f in module.function : kind => f.log_group if var.alarms.enabled }

  name           = "unauthorized"
  log_group_name = each.value
  pattern        = "{ $.outcome = \"unauthorized\" }"

  metric_transformation {
    namespace     = local.filters
    name          = "${local.title[each.key]}Unauthorized"
    value         = "1"
    default_value = 0
    unit          = "Count"
  }
}

# The metric JwksRefresh counts fetches, good and bad alike.
resource "aws_cloudwatch_log_metric_filter" "jwks" {
  for_each = { for kind, f in module.function : kind => f.log_group if var.alarms.enabled }

  name           = "key-set-not-refreshed"
  log_group_name = each.value
  pattern        = "{ $.msg = \"key set not refreshed\" }"

  metric_transformation {
    namespace     = local.filters
    name          = "JwksRefreshFailures"
    value         = "1"
    default_value = 0
    unit          = "Count"
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = {
    "who was refused and why"    = <<-EOT
      filter outcome = "unauthorized" or outcome = "deny"
      | stats count(*) as requests, latest(@timestamp) as last by principal, reason, route, source_ip
      | sort requests desc
      | limit 100
    EOT
    "what did this token id do"  = <<-EOT
      # token is the first 16 hex digits of the id's SHA-256: printf %s ID | sha256sum | cut -c1-16
      filter token = "sha256:PUT-THE-PREFIX-HERE"
      | fields @timestamp, outcome, reason, method, route, api_id, stage, source_ip, principal, request_id
      | sort @timestamp asc
      | limit 1000
    EOT
    "what did this principal do" = <<-EOT
      filter principal = "main|PUT-THE-SUBJECT-HERE"
      | fields @timestamp, outcome, reason, method, route, api_id, stage, source_ip, token, request_id
      | sort @timestamp asc
      | limit 1000
    EOT
    "slowest dependency"         = <<-EOT
      filter ispresent(outcome)
      | stats pct(steps_us.credential, 99) / 1000 as keys_and_tokens_ms, pct(steps_us.revocation, 99) / 1000 as revocation_ms, pct(steps_us.address, 99) / 1000 as networks_ms, pct(steps_us.replay, 99) / 1000 as nonces_ms, pct(Latency, 99) as whole_ms, count(*) as decisions by bin(5m)
      | sort @timestamp desc
    EOT
    "faults and what they said"  = <<-EOT
      filter outcome = "fault" or ispresent(revocation_passed)
      | stats count(*) as requests, latest(detail) as said, latest(revocation_passed) as passed_because, latest(request_id) as example by reason
      | sort requests desc
    EOT
    "cold starts"                = <<-EOT
      filter ispresent(outcome)
      | stats count(cold_start) as cold, count(*) as decisions, pct(Latency, 99) as p99_ms by bin(1h)
    EOT
  }

  name            = "${var.name}/${each.key}"
  log_group_names = local.log_groups
  query_string    = each.value
}
