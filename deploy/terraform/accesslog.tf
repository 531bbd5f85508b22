# What an access log says, for the stages of APIs that use the authorizer. API
# Gateway puts variables in as they are, so none stands here that is a piece of
# the request. request_id is that of the decision line; a client may choose it,
# extended_request_id it may not.

locals {
  # log.principal: hash keeps the principal out of every log.
  hides_principal = anytrue([for s in module.settings : s.log_principal == "hash"])

  access_log_formats = {
    for kind, fields in {
      rest = {
        method              = "httpMethod", route = "resourcePath", source_ip = "identity.sourceIp", latency = "responseLatency", length = "responseLength", waf = "waf.status"
        authorizer_latency  = "authorizer.latency", authorizer_status = "authorizer.status", authorizer_error = "authorizer.error"
        integration_latency = "integration.latency", integration_status = "integration.status"
      }
      http = {
        method              = "httpMethod", route = "routeKey", source_ip = "identity.sourceIp", latency = "responseLatency", length = "responseLength"
        authorizer_latency  = "authorizer.latency", authorizer_status = "authorizer.status", authorizer_error = "authorizer.error"
        integration_latency = "integration.latency", integration_status = "integration.status"
      }
      websocket = {
        route               = "routeKey", event = "eventType", connection_id = "connectionId", source_ip = "identity.sourceIp"
        authorizer_latency  = "authorizer.latency", authorizer_status = "authorizer.status", authorizer_error = "authorizer.error"
        integration_latency = "integration.latency", integration_status = "integration.status"
      }
      } : kind => jsonencode({
        for field, variable in merge(
          {
            time  = "requestTime", request_id = "requestId", extended_request_id = "extendedRequestId", api_id = "apiId", stage = "stage", status = "status"
            error = "error.responseType", auth_method = "authorizer.auth_method", reason = "authorizer.reason", authorizer_request_id = "authorizer.requestId"
          },
          local.hides_principal ? {} : { principal = "authorizer.principal" },
          fields,
        ) : field => "$context.${variable}"
    })
  }
}
