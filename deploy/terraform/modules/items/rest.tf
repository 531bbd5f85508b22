# The REST API over the routes.

locals {
  rest = { for key, route in local.routes : key => route if var.rest != null }

  # Browsers ask before they send a credential.
  preflight = { for path in toset([for r in local.rest : r.path if !r.public]) : "OPTIONS ${path}" => { method = "OPTIONS", path = path, public = true, models = {} } }
  methods   = merge(local.rest, local.preflight)

  segments = { for path in toset([for r in local.rest : r.path]) : path => split("/", trimprefix(path, "/")) }
  parents  = toset([for s in local.segments : s[0]])
  children = { for path, s in local.segments : path => s if length(s) == 2 }

  resource_ids = merge(
    { for path, s in local.segments : path => aws_api_gateway_resource.parent[s[0]].id if length(s) == 1 },
    { for path, s in local.children : path => aws_api_gateway_resource.child[path].id },
  )

  private = length(try(var.rest.vpc_endpoint_ids, [])) > 0

  # A parameter is a * in a method's ARN.
  # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
  method_arns = { for key, r in merge(local.routes, local.preflight) : key => "${r.method}${replace(r.path, "/\\{[^}]*\\}/", "*")}" }
}

resource "aws_api_gateway_rest_api" "this" {
  count = var.rest == null ? 0 : 1

  name                         = "${var.name}-rest"
  description                  = "The items routes"
  api_key_source               = "AUTHORIZER" # usage plans meter by usageIdentifierKey, never by a header
  disable_execute_api_endpoint = var.rest.domain != null
  tags                         = var.tags

  endpoint_configuration {
    types            = [local.private ? "PRIVATE" : "REGIONAL"]
    vpc_endpoint_ids = local.private ? var.rest.vpc_endpoint_ids : null
  }

  lifecycle {
    precondition {
      condition     = alltrue([for s in local.segments : length(s) <= 2])
      error_message = "This module makes resources two levels deep, and the OpenAPI document has deeper paths."
    }
  }
}

# A private API must have a resource policy. It refuses only: what it allowed
# beside an authorizer that stays silent would be open. The routes without an
# authorizer need its word.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
resource "aws_api_gateway_rest_api_policy" "this" {
  count = local.private ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Deny"
        Principal = "*"
        Action    = "execute-api:Invoke"
        Resource  = "${aws_api_gateway_rest_api.this[0].execution_arn}/*"
        Condition = { StringNotEquals = { "aws:SourceVpce" = var.rest.vpc_endpoint_ids } }
      },
      {
        Effect    = "Allow"
        Principal = "*"
        Action    = "execute-api:Invoke"
        Resource  = [for key, r in local.methods : "${aws_api_gateway_rest_api.this[0].execution_arn}/${var.rest.stage}/${local.method_arns[key]}" if r.public]
      },
    ]
  })
}

resource "aws_api_gateway_resource" "parent" {
  for_each = local.parents

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  parent_id   = aws_api_gateway_rest_api.this[0].root_resource_id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "child" {
  for_each = local.children

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  parent_id   = aws_api_gateway_resource.parent[each.value[0]].id
  path_part   = each.value[1]
}

resource "aws_api_gateway_request_validator" "this" {
  count = var.rest == null ? 0 : 1

  rest_api_id                 = aws_api_gateway_rest_api.this[0].id
  name                        = "all"
  validate_request_body       = true
  validate_request_parameters = true
}

resource "aws_api_gateway_model" "this" {
  for_each = { for name, model in local.models : name => model if var.rest != null }

  rest_api_id  = aws_api_gateway_rest_api.this[0].id
  name         = each.key
  content_type = "application/json"
  schema       = jsonencode(each.value)
}

resource "aws_api_gateway_method" "this" {
  for_each = local.methods

  rest_api_id          = aws_api_gateway_rest_api.this[0].id
  resource_id          = local.resource_ids[each.value.path]
  http_method          = each.value.method
  authorization        = each.value.public ? "NONE" : "CUSTOM"
  authorizer_id        = each.value.public ? null : var.rest_authorizer_id
  api_key_required     = !each.value.public && var.rest.usage_plan != null
  request_validator_id = aws_api_gateway_request_validator.this[0].id
  request_models       = { for media, model in each.value.models : media => aws_api_gateway_model.this[model].name }
  request_parameters   = { for part in regexall("\\{([^}]*)\\}", each.value.path) : "method.request.path.${part[0]}" => true }
}

resource "aws_api_gateway_integration" "this" {
  for_each = local.methods

  rest_api_id             = aws_api_gateway_rest_api.this[0].id
  resource_id             = local.resource_ids[each.value.path]
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = module.function.invoke_arn
}

resource "aws_api_gateway_deployment" "this" {
  count = var.rest == null ? 0 : 1

  rest_api_id = aws_api_gateway_rest_api.this[0].id

  # A stage serves what was deployed, so whatever changes an answer is here.
  triggers = {
    revision = sha256(jsonencode([
      var.rest_revision, local.models, local.methods, local.resource_ids, var.rest_authorizer_id, var.rest.usage_plan != null,
      module.function.invoke_arn, aws_api_gateway_rest_api_policy.this[*].policy,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_api_gateway_integration.this, aws_api_gateway_rest_api_policy.this]
}

resource "aws_api_gateway_stage" "this" {
  count = var.rest == null ? 0 : 1

  rest_api_id          = aws_api_gateway_rest_api.this[0].id
  deployment_id        = aws_api_gateway_deployment.this[0].id
  stage_name           = var.rest.stage
  xray_tracing_enabled = coalesce(var.function.tracing, true)
  tags                 = var.tags

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access["rest"].arn
    format          = var.access_log_formats.rest
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "this" {
  count = var.rest == null ? 0 : 1

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  stage_name  = aws_api_gateway_stage.this[0].stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false # it would log requests whole, credentials included
    throttling_rate_limit  = var.rest.throttle.rate
    throttling_burst_limit = var.rest.throttle.burst
  }
}

# API Gateway calls for these methods of this stage, and for no others.
resource "aws_lambda_permission" "rest" {
  for_each = local.methods

  statement_id_prefix = "rest-"
  function_name       = module.function.name
  qualifier           = module.function.alias
  action              = "lambda:InvokeFunction"
  principal           = "apigateway.amazonaws.com"
  source_arn          = "${aws_api_gateway_rest_api.this[0].execution_arn}/${var.rest.stage}/${local.method_arns[each.key]}"
}

resource "aws_api_gateway_usage_plan" "this" {
  count = try(var.rest.usage_plan, null) == null ? 0 : 1

  name        = "${var.name}-rest"
  description = "One API key for each usage_identifier_key, with that as its value"
  tags        = var.tags

  api_stages {
    api_id = aws_api_gateway_rest_api.this[0].id
    stage  = aws_api_gateway_stage.this[0].stage_name
  }

  throttle_settings {
    rate_limit  = var.rest.usage_plan.rate
    burst_limit = var.rest.usage_plan.burst
  }

  quota_settings {
    limit  = var.rest.usage_plan.quota_per_day
    period = "DAY"
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = try(var.rest.web_acl_arn, null) == null ? 0 : 1

  resource_arn = aws_api_gateway_stage.this[0].arn
  web_acl_arn  = var.rest.web_acl_arn
}

resource "aws_api_gateway_domain_name" "this" {
  count = try(var.rest.domain, null) == null ? 0 : 1

  domain_name              = var.rest.domain.name
  regional_certificate_arn = var.rest.domain.certificate_arn
  security_policy          = "TLS_1_2"
  tags                     = var.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  dynamic "mutual_tls_authentication" {
    for_each = var.rest.domain.truststore[*]
    content {
      truststore_uri = mutual_tls_authentication.value
    }
  }
}

resource "aws_api_gateway_base_path_mapping" "this" {
  count = try(var.rest.domain, null) == null ? 0 : 1

  api_id      = aws_api_gateway_rest_api.this[0].id
  stage_name  = aws_api_gateway_stage.this[0].stage_name
  domain_name = aws_api_gateway_domain_name.this[0].domain_name
}
