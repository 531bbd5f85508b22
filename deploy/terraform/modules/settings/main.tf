# Reads authorizer.yaml and says how API Gateway's authorizer must be set up
# for it, or why it cannot be. The function checks its configuration in full and
# refuses to start; here the same rules stop a plan, so that nothing is deployed
# that would then answer 500. Where the two differ the function is right:
# `authctl validate` asks it.

locals {
  file       = yamldecode(file(var.configuration))
  gateway    = try(coalesce(local.file.gateway), {})
  bearer     = try(coalesce(local.file.bearer), {})
  api_keys   = try(local.file.api_keys, null)
  signatures = try(local.file.signatures, null)
  issuers    = try([for i in local.file.issuers : i], [])
  routes     = try([for r in local.file.routes : r], [])
  entries    = flatten([for r in local.routes : [for e in try(r.require, []) : { route = r.route, keys = keys(e) }]])

  default_sources = ["method.request.header.Authorization"]

  # Every string that counts here, under a name of its own, so that ${NAME} is
  # replaced in one place.
  written = merge(
    {
      cache_ttl       = try(tostring(local.gateway.cache_ttl), "300s")
      http_api        = try(tostring(local.file.response.http_api), "iam")
      unauthenticated = try(tostring(local.file.response.unauthenticated), "error")
      principal       = try(tostring(local.file.log.principal), "plain")
      revocations     = try(tostring(local.file.tables.revocations), "")
      replay          = try(tostring(local.signatures.replay), "deny")
      header          = try(tostring(local.bearer.header), "Authorization")
      query           = try(tostring(local.bearer.query), "")
      cookie          = try(tostring(local.bearer.cookie), "")
      key_header      = try(tostring(local.api_keys.header), "X-Api-Key")
    },
    { for i, s in try(local.gateway.identity_sources, local.default_sources) : "source ${i}" => tostring(s) },
    { for i, s in try(local.api_keys.secrets, []) : "api key secret ${i}" => tostring(s) },
    { for i, s in try(local.signatures.secrets, []) : "signing key secret ${i}" => tostring(s) },
    { for i, s in local.issuers : "hs256 secret ${i}" => tostring(s.hmac_secret) if try(s.hmac_secret, null) != null },
  )

  # As the function expands it: ${NAME} once, $${ for the characters ${, any
  # other $ as it is.
  value = {
    for name, text in local.written : name => join("", [
      for part in regexall("\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}|\\$\\$\\{|[^$]+|\\$", text) :
      can(regex("^\\$\\$", part)) ? "$${" :
      can(regex("^\\$\\{", part)) ? lookup(var.environment, substr(part, 2, length(part) - 3), part) : part
    ])
  }

  # Comments are gone from here on, so a ${NAME} in one asks for nothing.
  variables = distinct(flatten(regexall("\\$\\{([A-Za-z_][A-Za-z0-9_]*)\\}",
    replace(jsonencode(local.file), "/\\$\\$\\{/", "")
  )))

  secrets = {
    for kind in ["api key secret", "signing key secret", "hs256 secret"] :
    kind => distinct([for name, text in local.value : text if startswith(name, kind)])
  }

  # Whole hours, minutes and seconds: API Gateway takes whole seconds.
  ttl_units = try({
    for part in regexall("([0-9]+)([hms]?)", regex("^(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?$|^0$", local.value.cache_ttl)) : part[1] => tonumber(part[0])
  }, {})
  cache_ttl = local.ttl_units == {} ? -1 : lookup(local.ttl_units, "h", 0) * 3600 + lookup(local.ttl_units, "m", 0) * 60 + lookup(local.ttl_units, "s", 0)
  cached    = local.cache_ttl != 0
  simple    = var.simple || local.value.http_api == "simple"
}
