# A WebSocket API whose $connect asks the authorizer. Browsers cannot set a
# header on a WebSocket, so the token may stand in the query, too, and then no
# source can be demanded of everybody.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "Where."
  type        = string
}

variable "issuer" {
  description = "The tokens' issuer, as their iss claim has it."
  type        = string
}

variable "audience" {
  description = "The tokens' audience."
  type        = string
}

resource "aws_apigatewayv2_api" "this" {
  name                       = "talk"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

module "authorizer" {
  source = "../.."

  name          = "talk"
  package       = "${path.module}/../../../../build/authorizer.zip" # make package CONFIG=deploy/terraform/examples/websocket/authorizer.yaml
  configuration = "${path.module}/authorizer.yaml"
  environment   = { ISSUER = var.issuer, AUDIENCE = var.audience }

  websocket_api = { id = aws_apigatewayv2_api.this.id, execution_arn = aws_apigatewayv2_api.this.execution_arn }
}

resource "aws_apigatewayv2_integration" "mock" {
  api_id            = aws_apigatewayv2_api.this.id
  integration_type  = "MOCK"
  request_templates = { "200" = jsonencode({ statusCode = 200 }) }

  template_selection_expression = "200"
}

# Only $connect is asked about: who is connected stays connected until the
# connection ends, two hours at most.
resource "aws_apigatewayv2_route" "connect" {
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = "$connect"
  target             = "integrations/${aws_apigatewayv2_integration.mock.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = module.authorizer.websocket_authorizer_id
}

resource "aws_apigatewayv2_route" "default" {
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.mock.id}"
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/talk"
  retention_in_days = 90
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "prod"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = module.authorizer.access_log_formats.websocket
  }

  default_route_settings {
    throttling_rate_limit  = 500
    throttling_burst_limit = 200
  }

  depends_on = [aws_apigatewayv2_route.connect, aws_apigatewayv2_route.default]
}

output "url" {
  description = "Where to connect."
  value       = aws_apigatewayv2_stage.this.invoke_url
}
