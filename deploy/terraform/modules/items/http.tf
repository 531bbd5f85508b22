# The HTTP API over the routes. Its bodies are validated by the service alone.

locals {
  http = { for key, route in local.routes : key => route if var.http != null }
}

resource "aws_apigatewayv2_api" "this" {
  count = var.http == null ? 0 : 1

  name                         = "${var.name}-http"
  description                  = "The items routes"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.http.domain != null
  tags                         = var.tags

  # With this API Gateway answers the preflight, which brings no credential.
  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) > 0 ? [1] : []
    content {
      allow_origins  = var.cors_origins
      allow_methods  = ["GET", "POST", "PUT", "PATCH", "DELETE"]
      allow_headers  = ["authorization", "content-type", "content-digest", "idempotency-key", "if-match", "if-none-match", "signature", "signature-input", "x-api-key"]
      expose_headers = ["accept-patch", "allow", "etag", "location", "retry-after", "x-request-id"]
      max_age        = 600
    }
  }
}

resource "aws_apigatewayv2_integration" "this" {
  count = var.http == null ? 0 : 1

  api_id                 = aws_apigatewayv2_api.this[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.function.invoke_arn
  integration_method     = "POST"
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.http

  api_id             = aws_apigatewayv2_api.this[0].id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[0].id}"
  authorization_type = each.value.public ? "NONE" : "CUSTOM"
  authorizer_id      = each.value.public ? null : var.http_authorizer_id
}

resource "aws_apigatewayv2_stage" "this" {
  count = var.http == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access["http"].arn
    format          = var.access_log_formats.http
  }

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_rate_limit    = var.http.throttle.rate
    throttling_burst_limit   = var.http.throttle.burst
  }
}

resource "aws_lambda_permission" "http" {
  for_each = local.http

  statement_id_prefix = "http-"
  function_name       = module.function.name
  qualifier           = module.function.alias
  action              = "lambda:InvokeFunction"
  principal           = "apigateway.amazonaws.com"
  source_arn          = "${aws_apigatewayv2_api.this[0].execution_arn}/$default/${local.method_arns[each.key]}"
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = try(var.http.domain, null) == null ? 0 : 1

  domain_name = var.http.domain.name
  tags        = var.tags

  domain_name_configuration {
    certificate_arn = var.http.domain.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }

  dynamic "mutual_tls_authentication" {
    for_each = var.http.domain.truststore[*]
    content {
      truststore_uri = mutual_tls_authentication.value
    }
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = try(var.http.domain, null) == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this[0].id
  stage       = aws_apigatewayv2_stage.this[0].name
  domain_name = aws_apigatewayv2_domain_name.this[0].domain_name
}
