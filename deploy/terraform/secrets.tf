# The secrets that the configuration names. They are made without a value, which
# authctl and the rotation write. A first version made here would be Terraform's
# for good: once Secrets Manager had forgotten it, as it does with old versions,
# the next apply would make it anew, current and empty.

locals {
  secret_names = {
    for kind in ["api_keys", "signing_keys", "hs256"] :
    kind => toset(flatten([for s in module.settings : [for name in s.secrets[kind] : name if !startswith(name, "arn:") && !contains(keys(var.secrets.existing), name)]]))
  }

  secret_arns = merge(var.secrets.existing, { for name, secret in aws_secretsmanager_secret.this : name => secret.arn })

  # What one function may read.
  secrets_of = {
    for kind, s in module.settings :
    kind => [for name in sort(distinct(flatten(values(s.secrets)))) : startswith(name, "arn:") ? name : local.secret_arns[name]]
  }

  rotated = var.secrets.rotation_package == null ? toset([]) : local.secret_names.hs256
}

resource "aws_secretsmanager_secret" "this" {
  for_each = setunion(values(local.secret_names)...)

  name                    = each.value
  description             = "Keys that ${var.name} verifies with"
  kms_key_id              = var.secrets.kms_key_arn
  recovery_window_in_days = var.secrets.recovery_window_days
  tags                    = var.tags
}

module "rotate" {
  source = "./modules/function"
  count  = length(local.rotated) > 0 ? 1 : 0

  name        = "${var.name}-rotate"
  description = "Rotates the secrets of HS256 keys"
  package     = var.secrets.rotation_package
  settings    = { timeout_seconds = 30, log_retention_days = var.function.log_retention_days, log_kms_key_arn = var.function.log_kms_key_arn, permissions_boundary = var.function.permissions_boundary }
  tags        = var.tags

  statements = [
    for statement in [
      {
        when = true
        sid  = "RotateSecrets"
        actions = [
          "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
        ]
        resources = [for name in local.rotated : aws_secretsmanager_secret.this[name].arn]
        via       = null
      },
      {
        when      = var.secrets.kms_key_arn != null
        sid       = "EncryptSecrets"
        actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
        resources = [var.secrets.kms_key_arn]
        via       = "secretsmanager"
      },
    ] : { sid = statement.sid, actions = statement.actions, resources = statement.resources, via = statement.via } if statement.when
  ]
}

resource "aws_lambda_permission" "rotate" {
  for_each = local.rotated

  statement_id_prefix = "rotate-"
  function_name       = module.rotate[0].name
  action              = "lambda:InvokeFunction"
  principal           = "secretsmanager.amazonaws.com"
  source_arn          = aws_secretsmanager_secret.this[each.value].arn
}

resource "aws_secretsmanager_secret_rotation" "this" {
  for_each = local.rotated

  secret_id           = aws_secretsmanager_secret.this[each.value].id
  rotation_lambda_arn = module.rotate[0].arn

  rotation_rules {
    automatically_after_days = var.secrets.rotation_days
  }

  depends_on = [aws_lambda_permission.rotate]
}
