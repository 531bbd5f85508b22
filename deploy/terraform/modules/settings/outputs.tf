output "problems" {
  description = "Why this cannot be deployed; empty where it can. What else is said here counts only then."
  value       = local.problems
}

output "cache_ttl" {
  description = "The authorizer's result TTL in seconds; 0 is off."
  value       = local.cache_ttl
}

output "identity_sources" {
  description = "The authorizer's identity sources, in the spelling of this kind of API and in the configuration's order."
  value       = local.identity_sources
}

output "simple" {
  description = "Whether an HTTP API's authorizer has simple responses."
  value       = local.simple
}

output "credentials" {
  description = "The kinds of credential that the configuration accepts: jwt, api_key, signature."
  value = compact([
    length(local.issuers) == 0 ? "" : "jwt", local.api_keys == null ? "" : "api_key", local.signatures == null ? "" : "signature",
  ])
}

output "secrets" {
  description = "Names or ARNs of the secrets that the function reads, by what they hold."
  value = {
    api_keys     = local.secrets["api key secret"]
    signing_keys = local.secrets["signing key secret"]
    hs256        = local.secrets["hs256 secret"]
  }
}

output "needs" {
  description = "Which tables the function uses."
  value = {
    revocations = local.value.revocations != "none"
    nonces      = local.signatures != null && local.value.replay == "deny"
  }
}

output "variables" {
  description = "The environment variables that the configuration asks for."
  value       = local.variables
}

output "log_principal" {
  description = "plain or hash: whether the principal may stand in a log."
  value       = local.value.principal
}

output "routes" {
  description = "The configured routes, as in METHOD /template."
  value       = local.routes[*].route
}
