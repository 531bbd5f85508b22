# Identity sources: what they read, how this kind of API spells them, and which
# places of a request a credential may stand in. "header:authorization" and the
# like name a part of a request whatever the spelling; only a header's name has
# no case.

locals {
  listed = [for i, s in try(local.gateway.identity_sources, local.default_sources) : local.value["source ${i}"]]
  # What `make package` does for authorizer-simple.yaml: spelled for an HTTP
  # API, with the route among the sources where answers are cached.
  for_simple = [for s in local.listed : replace(replace(s, "/^method\\.request\\./", "$$request."), "/^(context|stageVariables)\\./", "$$$1.")]
  configured = !var.simple ? local.listed : (
    local.cached && !contains(local.for_simple, "$context.routeKey") ? concat(local.for_simple, ["$context.routeKey"]) : local.for_simple
  )

  parsed = [
    for s in local.configured : {
      written = s
      api     = startswith(s, "$") ? "HTTP" : startswith(s, "route.") ? "WEBSOCKET" : "REST"
      shared  = can(regex("^(context|stageVariables)\\.", s)) # a REST and a WebSocket API spell these alike
      kind    = try(regex("^(?:(?:method|route)\\.request|\\$request)\\.(header|querystring)\\.", s)[0], regex("^\\$?(context|stageVariables)\\.", s)[0], "")
      name    = try(regex("^(?:(?:method|route)\\.request|\\$request)\\.(?:header|querystring)\\.([^, ]+)$", s)[0], regex("^\\$?(?:context|stageVariables)\\.([^, ]+)$", s)[0], "")
    }
  ]
  sources = [for p in local.parsed : "${p.kind}:${p.kind == "header" ? lower(p.name) : p.name}"]

  spelling = {
    REST_TOKEN   = { header = "method.request.header.", querystring = "method.request.querystring.", context = "context.", stageVariables = "stageVariables." }
    REST_REQUEST = { header = "method.request.header.", querystring = "method.request.querystring.", context = "context.", stageVariables = "stageVariables." }
    HTTP         = { header = "$request.header.", querystring = "$request.querystring.", context = "$context.", stageVariables = "$stageVariables." }
    WEBSOCKET    = { header = "route.request.header.", querystring = "route.request.querystring.", context = "context.", stageVariables = "stageVariables." }
  }[var.kind]
  identity_sources = [for p in local.parsed : "${lookup(local.spelling, p.kind, "")}${p.name}"]

  # REST is the default's spelling and stands for any API; another one names
  # the API it is for.
  spelled_for_another = [for p in local.parsed : p.written if p.api != "REST" && p.api != split("_", var.kind)[0]]

  bearer_carriers = length(local.issuers) == 0 ? [] : compact([
    local.value.header == "" ? "" : "header:${lower(local.value.header)}",
    local.value.query == "" ? "" : "querystring:${local.value.query}",
    local.value.cookie == "" ? "" : "header:cookie",
    try(local.bearer.subprotocol, false) ? "header:sec-websocket-protocol" : "",
  ])
  key_carriers = local.api_keys == null ? [] : ["header:${lower(local.value.key_header)}"]
  carriers     = setunion(local.bearer_carriers, local.key_carriers)

  undeclared = setsubtract(local.carriers, local.sources)

  # API Gateway answers 401 by itself where a source is missing, so an entry
  # must be able to fill every source that is a place for a credential. A token
  # fills one.
  declared        = setintersection(local.carriers, local.sources)
  declared_bearer = setintersection(local.bearer_carriers, local.sources)
  declared_key    = setintersection(local.key_carriers, local.sources)
  unfilled = distinct([
    for e in local.entries : e.route if length(local.declared) > 1 && !contains(e.keys, "signature") && length(local.declared) > (
      (contains(e.keys, "api_key") ? length(local.declared_key) : 0) +
      (contains(e.keys, "jwt") ? min(1, length(setsubtract(local.declared_bearer, contains(e.keys, "api_key") ? local.declared_key : []))) : 0)
    )
  ])

  addresses = compact([
    contains(local.sources, "context:identity.sourceIp") ? "" : "context.identity.sourceIp",
    try(length(local.file.trusted_proxies), 0) == 0 || contains(local.sources, "header:x-forwarded-for") ? "" : "the header X-Forwarded-For",
  ])
  by_address = concat(
    distinct([for e in local.entries : e.route if contains(e.keys, "networks")]),
    try(length(local.file.deny_networks), 0) == 0 ? [] : ["deny_networks"],
  )
}
