# The authorizer in front of a REST API that exists. The API stays whose it is:
# what is added here is a function, a table, and one authorizer on the API.

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

variable "rest_api" {
  description = "The API, as your own configuration or `data.aws_api_gateway_rest_api` knows it."
  type        = object({ id = string, name = string, execution_arn = string, stage = string })
}

variable "orders_resource_id" {
  description = "Of the resource /orders, to show a method behind the authorizer."
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
  package       = "${path.module}/../../../../build/authorizer.zip" # make package CONFIG=deploy/terraform/examples/attach-to-existing-rest-api/authorizer.yaml
  configuration = "${path.module}/authorizer.yaml"
  environment   = { ISSUER = var.issuer, AUDIENCE = var.audience }

  rest_api = {
    id                = var.rest_api.id
    name              = var.rest_api.name
    stage             = var.rest_api.stage
    execution_arn     = var.rest_api.execution_arn
    gateway_responses = true
  }
}

# One method of yours. The others differ in nothing that matters here.
resource "aws_api_gateway_method" "orders" {
  rest_api_id   = var.rest_api.id
  resource_id   = var.orders_resource_id
  http_method   = "GET"
  authorization = "CUSTOM"
  authorizer_id = module.authorizer.rest_authorizer_id
}

resource "aws_api_gateway_integration" "orders" {
  rest_api_id       = var.rest_api.id
  resource_id       = var.orders_resource_id
  http_method       = aws_api_gateway_method.orders.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }
}

# A REST API serves what was deployed. In your own deployment the one line that
# counts is rest_revision.
resource "aws_api_gateway_deployment" "this" {
  rest_api_id = var.rest_api.id
  triggers    = { authorizer = module.authorizer.rest_revision, method = sha256(jsonencode([aws_api_gateway_method.orders, aws_api_gateway_integration.orders])) }

  lifecycle {
    create_before_destroy = true
  }
}

output "settings" {
  description = "What the authorizer was set to."
  value       = module.authorizer.settings
}

output "flush" {
  description = "For authctl revoke --flush."
  value       = module.authorizer.flush
}
