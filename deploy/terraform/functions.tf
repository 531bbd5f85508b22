# One function per API, all from the same zip unless told otherwise: what a
# function may do follows from its own configuration.

locals {
  statements = {
    for kind, s in module.settings : kind => [
      for statement in [
        {
          when      = s.needs.revocations
          sid       = "ReadRevocations"
          actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem"]
          resources = [try(local.revocations_table.arn, "")]
          via       = null
        },
        {
          when      = s.needs.nonces
          sid       = "SpendNonces"
          actions   = ["dynamodb:PutItem"]
          resources = [try(local.nonces_table.arn, "")]
          via       = null
        },
        {
          when      = length(local.secrets_of[kind]) > 0
          sid       = "ReadSecrets"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = local.secrets_of[kind]
          via       = null
        },
        {
          when      = length(local.secrets_of[kind]) > 0 && var.secrets.kms_key_arn != null
          sid       = "DecryptSecrets"
          actions   = ["kms:Decrypt"]
          resources = [var.secrets.kms_key_arn]
          via       = "secretsmanager"
        },
        # With a customer's key DynamoDB decrypts in the name of its caller:
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html
        {
          when      = (s.needs.revocations || s.needs.nonces) && var.tables.kms_key_arn != null
          sid       = "DecryptTables"
          actions   = ["kms:Decrypt"]
          resources = [var.tables.kms_key_arn]
          via       = "dynamodb"
        },
      ] : { sid = statement.sid, actions = statement.actions, resources = statement.resources, via = statement.via } if statement.when
    ]
  }
}

module "function" {
  source   = "./modules/function"
  for_each = local.apis

  name        = "${var.name}-authorizer-${each.key}"
  description = "Authorizer of the ${each.key == "websocket" ? "WebSocket" : upper(each.key)} API ${each.value.id}"
  package     = coalesce(each.value.package, var.package)
  settings    = var.function
  statements  = local.statements[each.key]
  tags        = var.tags

  rollback_alarms = !var.alarms.enabled ? [] : [for name in ["Errors", "Slow"] : "${var.name}-${local.title[each.key]}Authorizer${name}"]

  environment = merge(
    var.environment,
    {
      for variable, value in {
        REVOCATIONS_TABLE = try(local.revocations_table.name, null)
        NONCES_TABLE      = try(local.nonces_table.name, null)
        API_ID            = each.value.id
      } : variable => value if contains(module.settings[each.key].variables, variable)
    },
    try(each.value.simple_responses, false) ? { AUTHORIZER_CONFIG = "/var/task/authorizer-simple.yaml" } : {},
  )
}

# API Gateway may call it for this authorizer of this API, and nobody else may.
resource "aws_lambda_permission" "authorizer" {
  for_each = local.apis

  statement_id  = "authorizer"
  function_name = module.function[each.key].name
  qualifier     = module.function[each.key].alias
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${each.value.execution_arn}/authorizers/${local.authorizer_ids[each.key]}"
}
