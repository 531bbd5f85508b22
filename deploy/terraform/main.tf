# The authorizer in front of APIs that exist: one function per API, the tables
# and secrets that the configuration asks for, and what watches over them.
# Everything that API Gateway and authorizer.yaml must agree on is read from
# authorizer.yaml: see modules/settings.

data "aws_region" "current" {}

locals {
  apis = { for kind, api in { rest = var.rest_api, http = var.http_api, websocket = var.websocket_api } : kind => api if api != null }
}

module "settings" {
  source   = "./modules/settings"
  for_each = local.apis

  configuration = coalesce(each.value.configuration, var.configuration)
  kind          = each.key == "rest" ? "REST_${var.rest_api.type}" : upper(each.key)
  simple        = try(each.value.simple_responses, false)
  environment   = var.environment
  provided      = ["REVOCATIONS_TABLE", "NONCES_TABLE", "API_ID"]
}

# Everything that is refused, before anything is made.
resource "terraform_data" "refusals" {
  lifecycle {
    precondition {
      condition     = length(local.apis) > 0
      error_message = "There is nothing to attach to: give rest_api, http_api or websocket_api."
    }
    precondition {
      condition     = alltrue([for s in module.settings : length(s.problems) == 0])
      error_message = join("\n", flatten([for kind, s in module.settings : [for p in s.problems : "${kind}_api, ${coalesce(local.apis[kind].configuration, var.configuration)}: ${p}"]]))
    }
    precondition {
      condition     = length(local.unknown_tables) == 0
      error_message = "The configuration names tables itself, so their ARNs are not known: give ${join(" and ", local.unknown_tables)}, or write $${REVOCATIONS_TABLE} and $${NONCES_TABLE} there."
    }
    precondition {
      condition     = var.secrets.rotation_package == null || length(local.secret_names.hs256) > 0
      error_message = "secrets.rotation_package is given, and there is no secret of HS256 keys to rotate: API keys and signing keys are rotated one by one with authctl."
    }
  }
}
