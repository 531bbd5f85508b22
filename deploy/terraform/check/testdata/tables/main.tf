# An authorizer that needs every table, secret and rotation there is, and the
# items table beside it; `terraform apply` with -target makes the tables alone.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "name" {
  type = string
}

module "authorizer" {
  source = "../../.."

  name          = var.name
  package       = "${path.module}/../../../../../build/authorizer.zip"
  configuration = "${path.module}/../../../../authorizer-uncached.yaml"
  environment   = { ISSUER = "https://idp.example.com/", AUDIENCE = "a" }
  http_api      = { id = "a1b2c3d4e5", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5" }
  tables        = { point_in_time_recovery = false }
  secrets       = { rotation_package = "${path.module}/../../../../../build/rotate.zip" }
}

module "items" {
  source = "../../../modules/items"

  name               = var.name
  package            = "${path.module}/../../../../../build/items.zip"
  tables             = { point_in_time_recovery = false }
  access_log_formats = module.authorizer.access_log_formats
}
