# Everything: the items routes behind a REST API and an HTTP API, an authorizer
# for each, tables, secrets, alarms that page and roll a deployment back.

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

  default_tags {
    tags = { service = var.name }
  }
}

variable "region" {
  description = "Where."
  type        = string
}

variable "name" {
  description = "What everything is called, as a prefix."
  type        = string
  default     = "items"
}

variable "issuer" {
  description = "The tokens' issuer, as their iss claim has it."
  type        = string
}

variable "audience" {
  description = "The tokens' audience."
  type        = string
}

variable "pager" {
  description = "ARN of the SNS topic that wakes somebody."
  type        = string
}

variable "web_origin" {
  description = "The origin whose pages may call."
  type        = string
  default     = "https://app.example.com"
}

locals {
  build    = "${path.module}/../../../../build" # make package
  function = { gradual_deployment = "LambdaCanary10Percent5Minutes" }
}

module "authorizer" {
  source = "../.."

  name          = var.name
  package       = "${local.build}/authorizer.zip"
  configuration = "${path.module}/../../../authorizer.yaml"
  environment   = { ISSUER = var.issuer, AUDIENCE = var.audience }
  function      = local.function

  rest_api = {
    id                = module.items.rest_api_id
    name              = module.items.rest_api_name
    execution_arn     = module.items.rest_execution_arn
    stage             = "prod"
    gateway_responses = true
    cors_origin       = var.web_origin
  }

  http_api = {
    id            = module.items.http_api_id
    execution_arn = module.items.http_execution_arn
  }

  alarms = { page_topics = [var.pager], page_also = module.items.page_alarms }
}

module "items" {
  source = "../../modules/items"

  name         = var.name
  package      = "${local.build}/items.zip"
  cors_origins = [var.web_origin]
  function     = local.function

  rest               = {}
  rest_authorizer_id = module.authorizer.rest_authorizer_id
  rest_revision      = module.authorizer.rest_revision

  http               = {}
  http_authorizer_id = module.authorizer.http_authorizer_id

  access_log_formats = module.authorizer.access_log_formats
}

output "urls" {
  description = "Where the APIs answer."
  value       = { rest = module.items.rest_url, http = module.items.http_url }
}

output "settings" {
  description = "What the authorizers were set to."
  value       = module.authorizer.settings
}

output "revocations_table" {
  description = "For authctl."
  value       = module.authorizer.revocations_table
}

output "deployments" {
  description = "What `aws deploy create-deployment` needs, one by one: README.md, Deploy gradually."
  value = merge(
    { for kind, f in module.authorizer.functions : "authorizer-${kind}" => f.deployment },
    { items = module.items.deployment },
  )
}
