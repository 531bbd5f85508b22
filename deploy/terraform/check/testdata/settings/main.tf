# Many configurations at once through modules/settings.
variable "cases" {
  type = map(object({ configuration = string, kind = string, simple = bool }))
}

module "settings" {
  source   = "../../../modules/settings"
  for_each = var.cases

  configuration = each.value.configuration
  kind          = each.value.kind
  simple        = each.value.simple
  environment   = { ISSUER = "https://idp.example.com/", AUDIENCE = "a", TTL = "300s" }
  provided      = ["REVOCATIONS_TABLE", "NONCES_TABLE", "API_ID"]
}

output "settings" {
  value = module.settings
}
