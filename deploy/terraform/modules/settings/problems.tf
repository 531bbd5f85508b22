# Why the configuration cannot be deployed behind this kind of authorizer, each
# with a way out. The rules and their reasons are those of the function's own
# check; DESIGN.md, "What each API and setting allows", has them as a table.

locals {
  uncached = "or give it a function of its own with gateway.cache_ttl: 0s"

  of_the_values = [
    for problem in [
      {
        found = local.cache_ttl < 0 || local.cache_ttl > 3600
        text  = "gateway.cache_ttl is ${local.value.cache_ttl}: it must be whole seconds from 0s to 1h, written as in 300s or 5m"
      },
      {
        found = contains(local.parsed[*].name, "")
        text  = "gateway.identity_sources has an entry that is no identity source: ${join(", ", [for p in local.parsed : p.written if p.name == ""])}"
      },
      {
        found = length(distinct(local.sources)) < length(local.sources)
        text  = "gateway.identity_sources lists one twice"
      },
      {
        found = length(distinct([for p in local.parsed : p.api if !p.shared])) > 1 || (contains(local.parsed[*].api, "HTTP") && contains(local.parsed[*].shared, true))
        text  = "gateway.identity_sources mixes the spellings of two kinds of API: one authorizer belongs to one API"
      },
      {
        found = length(local.spelled_for_another) > 0
        text  = "gateway.identity_sources are spelled for another kind of API: ${join(", ", local.spelled_for_another)}"
      },
      {
        found = contains(local.parsed[*].api, "WEBSOCKET") && local.cache_ttl > 0
        text  = "gateway.cache_ttl must be 0s where identity sources are spelled for a WebSocket API, which keeps no answers"
      },
      {
        found = length(setsubtract(local.variables, concat(keys(var.environment), var.provided))) > 0
        text  = "environment lacks ${join(", ", setsubtract(local.variables, concat(keys(var.environment), var.provided)))}, which the configuration asks for: the function would not start"
      },
    ] : problem.text if problem.found
  ]

  # With caching an answer is used again for every request with the same
  # identity sources, on any route.
  of_the_cache = [
    for problem in [
      {
        found = length(local.sources) == 0
        text  = "gateway.identity_sources is empty: with caching on these are the key of the cache"
      },
      {
        found = length(local.undeclared) > 0
        text  = "a credential may stand in ${join(", ", local.undeclared)}, which is no identity source, so a cached answer would serve requests with another: add it to gateway.identity_sources, ${local.uncached}"
      },
      {
        found = length(local.unfilled) > 0
        text  = "${join(", ", local.unfilled)} needs only one of ${join(", ", local.declared)}, but all of them are identity sources, and API Gateway refuses a request that lacks any: keep one of them, ${local.uncached}"
      },
      {
        found = local.signatures != null
        text  = "a request signature is good for one request, and no identity source makes it safe to cache: remove signatures, ${local.uncached}"
      },
      {
        found = length(local.by_address) > 0 && length(local.addresses) > 0
        text  = "${join(", ", local.by_address)} asks for the source address, and ${join(" and ", local.addresses)} is no identity source, so a cached answer would serve every address: add it to gateway.identity_sources, ${local.uncached}"
      },
      {
        found = local.simple && !(contains(local.parsed[*].api, "HTTP") && contains(local.sources, "context:routeKey"))
        text  = "a cached simple answer for one route decides every other: add $context.routeKey to gateway.identity_sources, set response.http_api to iam, ${local.uncached}"
      },
      {
        found = local.value.unauthenticated == "deny"
        text  = "response.unauthenticated: deny would be cached, and a token that is only not valid yet stays locked out: set error, ${local.uncached}"
      },
    ] : problem.text if local.cached && problem.found
  ]

  # A TOKEN authorizer hands over one header and the ARN, nothing else.
  of_token = [
    for problem in [
      {
        found = length(local.sources) != 1 || !can(regex("^header:", local.sources[0]))
        text  = "a TOKEN authorizer has exactly one identity source, a header: list one in gateway.identity_sources, or use REQUEST"
      },
      {
        found = length(local.undeclared) > 0 && local.cache_ttl == 0
        text  = "a TOKEN authorizer never sees ${join(", ", local.undeclared)}, where the configuration looks for a credential: use REQUEST"
      },
      {
        found = local.signatures != null
        text  = "a TOKEN event carries no request signature: use REQUEST"
      },
      {
        found = length(local.by_address) > 0
        text  = "${join(", ", local.by_address)} asks for the source address, which a TOKEN event does not carry: use REQUEST"
      },
    ] : problem.text if var.kind == "REST_TOKEN" && problem.found
  ]

  of_the_kind = var.simple && var.kind != "HTTP" ? ["simple responses are for HTTP APIs alone"] : []

  problems = concat(local.of_the_values, local.of_the_cache, local.of_token, local.of_the_kind)
}
