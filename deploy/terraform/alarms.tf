# What watches over the authorizers: the same alarms, under the same names, as
# deploy/observability/template.yaml, which a test compares. Metrics of the
# namespace LambdaAuthorizer come from the decision lines and have the
# dimensions outcome and (outcome, reason) alone.

locals {
  filters = "LambdaAuthorizer/${var.name}"
  title   = { rest = "Rest", http = "Http", websocket = "Websocket" }
  words   = { rest = "REST", http = "HTTP", websocket = "WebSocket" }
  outcome = { for o in ["allow", "deny", "unauthorized", "fault"] : o => { outcome = o } }

  over_outcomes = "FILL(fault, 0) + FILL(allow, 0) + FILL(deny, 0) + FILL(unauthorized, 0)"
  of_outcomes = {
    for metric in ["DependencyFault", "BreakerOpen"] :
    metric => { for o, dimensions in local.outcome : o => { namespace = "LambdaAuthorizer", name = metric, dimensions = dimensions } }
  }
  decided = "FILL(allow, 0) + FILL(deny, 0) + FILL(unauthorized, 0)"

  of_decisions = {
    DependencyFaults = {
      description = "Decisions fail, pass unchecked or go by what was read before, because something they depend on does not answer."
      expression  = local.over_outcomes, label = "dependency faults"
      metrics     = local.of_outcomes["DependencyFault"]
      threshold   = 5, periods = 5, datapoints = 2
    }
    BreakerOpen = {
      description = "The revocations table fails so often that it is not asked for seconds at a time."
      expression  = local.over_outcomes, label = "requests while the breaker was open"
      metrics     = local.of_outcomes["BreakerOpen"]
      threshold   = 1, periods = 3, datapoints = 2
    }
    DecisionsSlow = {
      description = "One in a hundred allowed requests waits over half a second for its decision."
      metric      = { namespace = "LambdaAuthorizer", name = "Latency", stat = "p99", dimensions = local.outcome.allow }
      comparison  = "GreaterThanThreshold"
      threshold   = 500, periods = 5, datapoints = 3
    }
    RefusalsUnusual = {
      description = "The share of refused requests is far from what it is at this time of the week."
      expression  = "IF(${local.decided} > 50, 100 * (FILL(deny, 0) + FILL(unauthorized, 0)) / (${local.decided}))", label = "refused in percent"
      band        = "ANOMALY_DETECTION_BAND(value, 3)"
      metrics     = { for o in ["allow", "deny", "unauthorized"] : o => { namespace = "LambdaAuthorizer", name = "Decisions", dimensions = local.outcome[o] } }
      comparison  = "LessThanLowerOrGreaterThanUpperThreshold"
      period      = 300, periods = 3, datapoints = 3
    }
  }

  of_key_sets = {
    JwksRefreshFailing = {
      description = "An issuer's key set cannot be fetched. Known keys serve for a day."
      metric      = { namespace = local.filters, name = "JwksRefreshFailures", stat = "Sum" }
      threshold   = 3, period = 300, periods = 3, datapoints = 2
    }
  }

  # Lambda counts every 401 as an error of the function, because the function
  # says "Unauthorized" with one. Taking the decision lines that say so away
  # leaves what must not happen: faults, crashes, time-outs and failed starts.
  # Their count comes later than Lambda's, and until it does FILL takes each 401
  # for an error: hence two minutes of three.
  of_functions = merge([
    for kind, title in local.title : {
      "${title}AuthorizerErrors" = {
        description = "The ${local.words[kind]} authorizer fails, deliberate 401s left out."
        runbook     = kind == "websocket" ? "RestAuthorizerErrors" : null
        expression  = "errors - FILL(unauthorized, 0)", label = "errors other than Unauthorized"
        metrics = {
          errors       = { namespace = "AWS/Lambda", name = "Errors", dimensions = { FunctionName = module.function[kind].name } }
          unauthorized = { namespace = local.filters, name = "${title}Unauthorized", dimensions = {} }
        }
        threshold = 5, periods = 3, datapoints = 2
      }
      "${title}AuthorizerSlow" = {
        description = "One in a hundred invocations of the ${local.words[kind]} authorizer takes over a second."
        runbook     = kind == "websocket" ? "RestAuthorizerSlow" : null
        metric      = { namespace = "AWS/Lambda", name = "Duration", stat = "p99", dimensions = { FunctionName = module.function[kind].name } }
        comparison  = "GreaterThanThreshold"
        threshold   = 1000, periods = 5, datapoints = 3
      }
      "${title}AuthorizerThrottled" = {
        description = "The ${local.words[kind]} authorizer has no concurrency left."
        runbook     = kind == "websocket" ? "RestAuthorizerThrottled" : null
        metric      = { namespace = "AWS/Lambda", name = "Throttles", stat = "Sum", dimensions = { FunctionName = module.function[kind].name } }
        threshold   = 1, periods = 3, datapoints = 2
      }
    } if contains(keys(local.apis), kind)
  ]...)

  of_rotation = {
    for rotate in module.rotate : "RotationFailing" => {
      description = "The HS256 secret is not rotated."
      metric      = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum", dimensions = { FunctionName = rotate.name } }
      threshold   = 1, period = 300, periods = 1, datapoints = 1
    }
  }

  watched_tables = merge(
    local.revocations ? { Revocations = local.revocations_table.name } : {},
    local.nonces ? { Nonces = local.nonces_table.name } : {},
  )
  of_tables = {
    for title, table in local.watched_tables : "${title}Throttled" => {
      description = "DynamoDB throttles the ${lower(title)} table."
      expression  = "FILL(reads, 0) + FILL(writes, 0)", label = "throttled events"
      metrics = {
        reads  = { namespace = "AWS/DynamoDB", name = "ReadThrottleEvents", dimensions = { TableName = table } }
        writes = { namespace = "AWS/DynamoDB", name = "WriteThrottleEvents", dimensions = { TableName = table } }
      }
      threshold = 1, periods = 3, datapoints = 2
    }
  }

  # How API Gateway files a stage's metrics, and what it calls them.
  stages = merge(
    var.rest_api == null ? {} : { Rest = { dimensions = { ApiName = var.rest_api.name, Stage = var.rest_api.stage }, refused = "4XXError", failed = "5XXError" } },
    var.http_api == null ? {} : { Http = { dimensions = { ApiId = var.http_api.id, Stage = var.http_api.stage }, refused = "4xx", failed = "5xx" } },
  )
  of_apis = merge([
    for title, stage in local.stages : {
      "${title}4xx" = {
        description = "The ${upper(title)} API refuses over 5 percent of its requests."
        expression  = "IF(requests > 20, 100 * FILL(answers, 0) / requests)", label = "percent"
        metrics = {
          answers  = { namespace = "AWS/ApiGateway", name = stage.refused, dimensions = stage.dimensions }
          requests = { namespace = "AWS/ApiGateway", name = "Count", dimensions = stage.dimensions }
        }
        comparison = "GreaterThanThreshold"
        threshold  = 5, periods = 5, datapoints = 3
      }
      "${title}5xx" = {
        description = "The ${upper(title)} API fails over 1 percent of its requests."
        expression  = "IF(requests > 20 OR FILL(answers, 0) >= 5, 100 * FILL(answers, 0) / requests)", label = "percent"
        metrics = {
          answers  = { namespace = "AWS/ApiGateway", name = stage.failed, dimensions = stage.dimensions }
          requests = { namespace = "AWS/ApiGateway", name = "Count", dimensions = stage.dimensions }
        }
        comparison = "GreaterThanThreshold"
        threshold  = 1, periods = 5, datapoints = 3
      }
      "${title}BackendSlow" = {
        description = "One in a hundred requests to the ${upper(title)} API waits over five seconds for the backend."
        metric      = { namespace = "AWS/ApiGateway", name = "IntegrationLatency", stat = "p99", dimensions = stage.dimensions }
        comparison  = "GreaterThanThreshold"
        threshold   = 5000, periods = 5, datapoints = 3
      }
    }
  ]...)
}
