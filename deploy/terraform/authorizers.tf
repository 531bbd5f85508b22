# What API Gateway is told. TTL, identity sources and response form are the
# configuration's own.

locals {
  # Two things the AWS provider cannot say, and CloudFormation can: no identity
  # source for a REST API (the provider has a default in its place, and sends
  # "", which API Gateway refuses: hashicorp/terraform-provider-aws#12069), and
  # the order of an HTTP API's (the provider has a set), by which the function
  # finds the route key that makes a cached simple answer safe.
  by_stack = {
    rest      = var.rest_api != null && try(length(module.settings["rest"].identity_sources) == 0, false)
    http      = try(module.settings["http"].simple && module.settings["http"].cache_ttl > 0 && length(module.settings["http"].identity_sources) > 1, false)
    websocket = false
  }

  authorizer_ids = merge(
    { for a in aws_api_gateway_authorizer.rest : "rest" => a.id },
    { for a in aws_apigatewayv2_authorizer.http : "http" => a.id },
    { for a in aws_apigatewayv2_authorizer.websocket : "websocket" => a.id },
    { for kind, stack in aws_cloudformation_stack.authorizer : kind => stack.outputs["AuthorizerId"] },
  )
}

resource "aws_api_gateway_authorizer" "rest" {
  count = var.rest_api != null && !local.by_stack.rest ? 1 : 0

  rest_api_id                      = var.rest_api.id
  name                             = var.name
  type                             = var.rest_api.type
  authorizer_uri                   = module.function["rest"].invoke_arn
  authorizer_result_ttl_in_seconds = module.settings["rest"].cache_ttl
  identity_source                  = join(",", module.settings["rest"].identity_sources)
  identity_validation_expression   = var.rest_api.validation_expression

  depends_on = [terraform_data.refusals]
}

resource "aws_apigatewayv2_authorizer" "http" {
  count = var.http_api != null && !local.by_stack.http ? 1 : 0

  api_id                            = var.http_api.id
  name                              = var.name
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = module.function["http"].invoke_arn
  authorizer_payload_format_version = "2.0"
  authorizer_result_ttl_in_seconds  = module.settings["http"].cache_ttl
  enable_simple_responses           = module.settings["http"].simple
  identity_sources                  = module.settings["http"].identity_sources

  depends_on = [terraform_data.refusals]
}

# A WebSocket API has neither a TTL nor a payload version nor simple responses.
resource "aws_apigatewayv2_authorizer" "websocket" {
  count = var.websocket_api == null ? 0 : 1

  api_id           = var.websocket_api.id
  name             = var.name
  authorizer_type  = "REQUEST"
  authorizer_uri   = module.function["websocket"].invoke_arn
  identity_sources = module.settings["websocket"].identity_sources

  depends_on = [terraform_data.refusals]
}

resource "aws_cloudformation_stack" "authorizer" {
  for_each = toset([for kind, needed in local.by_stack : kind if needed])

  name = "${var.name}-authorizer-${each.key}"
  tags = var.tags
  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "An API Gateway authorizer that Terraform's AWS provider cannot describe"
    Resources                = { Authorizer = local.stacked[each.key] }
    Outputs                  = { AuthorizerId = { Value = { "Fn::GetAtt" = ["Authorizer", "AuthorizerId"] } } }
  })

  depends_on = [terraform_data.refusals]
}

# Names of their own: where a change of the configuration turns one kind into the
# other, both are there for a moment.
locals {
  stacked = {
    rest = {
      Type = "AWS::ApiGateway::Authorizer"
      Properties = {
        RestApiId                    = try(var.rest_api.id, null)
        Name                         = "${var.name}-stack"
        Type                         = "REQUEST"
        AuthorizerUri                = try(module.function["rest"].invoke_arn, null)
        AuthorizerResultTtlInSeconds = 0
      }
    }
    http = {
      Type = "AWS::ApiGatewayV2::Authorizer"
      Properties = {
        ApiId                          = try(var.http_api.id, null)
        Name                           = "${var.name}-stack"
        AuthorizerType                 = "REQUEST"
        AuthorizerUri                  = try(module.function["http"].invoke_arn, null)
        AuthorizerPayloadFormatVersion = "2.0"
        AuthorizerResultTtlInSeconds   = try(module.settings["http"].cache_ttl, null)
        EnableSimpleResponses          = true
        IdentitySource                 = try(module.settings["http"].identity_sources, null)
      }
    }
  }
}
