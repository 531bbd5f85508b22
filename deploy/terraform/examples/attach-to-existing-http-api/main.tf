# The authorizer in front of an HTTP API that exists, for tokens and API keys
# alike: the two stand in different headers, so nothing is cached.

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
  description = "The API's Region."
  type        = string
}

variable "http_api" {
  description = "The API, as your own configuration or `data.aws_apigatewayv2_api` knows it."
  type        = object({ id = string, execution_arn = string })
}

variable "orders_integration_id" {
  description = "Of the integration behind GET /orders."
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

module "authorizer" {
  source = "../.."

  name          = "orders"
  package       = "${path.module}/../../../../build/authorizer.zip" # make package CONFIG=deploy/terraform/examples/attach-to-existing-http-api/authorizer.yaml
  configuration = "${path.module}/authorizer.yaml"
  environment   = { ISSUER = var.issuer, AUDIENCE = var.audience }

  http_api = { id = var.http_api.id, execution_arn = var.http_api.execution_arn }
}

resource "aws_apigatewayv2_route" "orders" {
  api_id             = var.http_api.id
  route_key          = "GET /orders"
  target             = "integrations/${var.orders_integration_id}"
  authorization_type = "CUSTOM"
  authorizer_id      = module.authorizer.http_authorizer_id
}

output "settings" {
  description = "What the authorizer was set to."
  value       = module.authorizer.settings
}

output "secrets" {
  description = "Empty until `authctl apikey create` writes the first key."
  value       = module.authorizer.secrets
}
