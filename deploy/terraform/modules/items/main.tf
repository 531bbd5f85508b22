# The items routes: the function, its table, the secret of its cursors, and in
# front of it a REST API, an HTTP API or both. The routes are those of
# items/openapi.yaml; every one that asks for security there has the authorizer
# here.

locals {
  openapi = yamldecode(file(coalesce(var.openapi, "${path.module}/../../../../items/openapi.yaml")))

  routes = merge([
    for path, operations in local.openapi.paths : {
      for method, operation in operations : "${upper(method)} ${path}" => {
        method = upper(method)
        path   = path
        public = length(try(operation.security, [{}])) == 0
        # The model of each media type that the operation takes.
        models = {
          for media, content in try(operation.requestBody.content, {}) : media => basename(content.schema["$ref"])
        }
      } if contains(["get", "put", "post", "delete", "patch", "head"], method)
    }
  ]...)
}

module "table" {
  source = "../table"

  name                   = "${var.name}-items"
  key                    = { partition = "pk", sort = "sk" }
  point_in_time_recovery = var.tables.point_in_time_recovery
  deletion_protection    = var.tables.deletion_protection
  kms_key_arn            = var.tables.kms_key_arn
  tags                   = var.tags
}

# CloudFormation has Secrets Manager make the value. Terraform would have to
# know it, and keep it in its state.
resource "aws_cloudformation_stack" "cursor_secret" {
  name = "${var.name}-items-cursor"
  tags = var.tags
  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "The secret that authenticates the cursors of the items routes"
    Resources = {
      Secret = {
        Type           = "AWS::SecretsManager::Secret"
        DeletionPolicy = "Retain"
        Properties = {
          for property, value in {
            Name                 = "${var.name}/items-cursor"
            Description          = "Authenticates the cursors of the items routes"
            GenerateSecretString = { PasswordLength = 64, ExcludePunctuation = true }
            KmsKeyId             = var.cursor_secret_kms_key_arn
          } : property => value if value != null
        }
      }
    }
    Outputs = { Arn = { Value = { Ref = "Secret" } } }
  })
}

module "function" {
  source = "../function"

  name            = "${var.name}-items"
  description     = "The items routes"
  package         = var.package
  settings        = var.function
  rollback_alarms = var.alarm_topics == null ? [] : [for name in ["ItemsErrors", "ItemsSlow"] : "${var.name}-${name}"]
  tags            = var.tags

  environment = {
    ITEMS_TABLE         = module.table.name
    ITEMS_CURSOR_SECRET = aws_cloudformation_stack.cursor_secret.outputs["Arn"]
    ITEMS_CORS_ORIGINS  = join(",", var.cors_origins)
    ITEMS_LOG_PRINCIPAL = var.log_principal
  }

  statements = [
    for statement in [
      {
        when      = true
        sid       = "UseItems"
        actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]
        resources = [module.table.arn]
        via       = null
      },
      {
        when      = var.tables.kms_key_arn != null
        sid       = "DecryptTable"
        actions   = ["kms:Decrypt"]
        resources = [var.tables.kms_key_arn]
        via       = "dynamodb"
      },
      {
        when      = true
        sid       = "ReadSecret"
        actions   = ["secretsmanager:GetSecretValue"]
        resources = [aws_cloudformation_stack.cursor_secret.outputs["Arn"]]
        via       = null
      },
      {
        when      = var.cursor_secret_kms_key_arn != null
        sid       = "DecryptSecret"
        actions   = ["kms:Decrypt"]
        resources = [var.cursor_secret_kms_key_arn]
        via       = "secretsmanager"
      },
    ] : { sid = statement.sid, actions = statement.actions, resources = statement.resources, via = statement.via } if statement.when
  ]
}
