# API Gateway's own answers of a REST API as RFC 9457 problems, in the form that
# backends of this project use. HTTP APIs cannot be told what to answer.
#
# Templates put variables in as they are, so none stands here that could break
# out of its string: `reason` is one of a fixed list of codes. What API Gateway
# says about a body that does not fit quotes the body, and is left out.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

locals {
  problems = {
    BAD_REQUEST_BODY               = { status = 400, code = "request_invalid", title = "Bad Request", detail = "The body is not what this method takes." }
    BAD_REQUEST_PARAMETERS         = { status = 400, code = "request_invalid", title = "Bad Request", detail = "A required parameter is missing." }
    UNAUTHORIZED                   = { status = 401, code = "unauthorized", title = "Unauthorized", detail = "No credential, or one that is not valid." }
    ACCESS_DENIED                  = { status = 403, code = "forbidden", title = "Forbidden", detail = "The caller may not do this." }
    INVALID_API_KEY                = { status = 403, code = "forbidden", title = "Forbidden", detail = "The caller has no usage plan." }
    WAF_FILTERED                   = { status = 403, code = "forbidden", title = "Forbidden", detail = "The request was filtered." }
    MISSING_AUTHENTICATION_TOKEN   = { status = 404, code = "path_not_found", title = "Not Found", detail = "There is nothing at this path and method." }
    RESOURCE_NOT_FOUND             = { status = 404, code = "path_not_found", title = "Not Found", detail = "There is nothing at this path." }
    REQUEST_TOO_LARGE              = { status = 413, code = "body_too_large", title = "Content Too Large", detail = "The request is too large." }
    UNSUPPORTED_MEDIA_TYPE         = { status = 415, code = "media_type_unsupported", title = "Unsupported Media Type", detail = "The body is of a type that this method does not take." }
    THROTTLED                      = { status = 429, code = "too_many_requests", title = "Too Many Requests", detail = "Too many requests: try again later." }
    QUOTA_EXCEEDED                 = { status = 429, code = "quota_exceeded", title = "Too Many Requests", detail = "The quota of the usage plan is used up." }
    AUTHORIZER_FAILURE             = { status = 500, code = "undecided", title = "Internal Server Error", detail = "Whether the caller may do this could not be decided." }
    AUTHORIZER_CONFIGURATION_ERROR = { status = 500, code = "undecided", title = "Internal Server Error", detail = "Whether the caller may do this could not be decided." }
    INTEGRATION_TIMEOUT            = { status = 504, code = "timeout", title = "Gateway Timeout", detail = "The service did not answer in time." }
    INTEGRATION_FAILURE            = { status = 504, code = "timeout", title = "Gateway Timeout", detail = "The service did not answer." }
    DEFAULT_4XX                    = { status = null, code = "refused", title = "Refused", detail = "The request was refused." }
    DEFAULT_5XX                    = { status = null, code = "internal", title = "Internal Server Error", detail = "The request could not be served." }
  }

  # RFC 6750 section 3, RFC 9110 section 10.2.3.
  response_headers = {
    UNAUTHORIZED   = { WWW-Authenticate = "Bearer" }
    THROTTLED      = { Retry-After = "1" }
    QUOTA_EXCEEDED = { Retry-After = "3600" }
  }

  cors_headers = try(var.rest_api.cors_origin, null) == null ? {} : merge(
    {
      Access-Control-Allow-Origin   = var.rest_api.cors_origin
      Access-Control-Expose-Headers = "Retry-After, WWW-Authenticate, X-Amzn-RequestId"
    },
    var.rest_api.cors_origin == "*" ? {} : { Vary = "Origin" },
  )
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = try(var.rest_api.gateway_responses, false) ? local.problems : {}

  rest_api_id   = var.rest_api.id
  response_type = each.key
  status_code   = each.value.status == null ? null : tostring(each.value.status)

  response_parameters = {
    for header, value in merge(
      { Content-Type = "application/problem+json", Cache-Control = "private, no-store" }, local.cors_headers, lookup(local.response_headers, each.key, {}),
    ) : "gatewayresponse.header.${header}" => "'${value}'"
  }

  # A template under application/json is the one that API Gateway takes whatever
  # the client accepts; the header says what it is.
  response_templates = {
    "application/json" = jsonencode({
      for member, value in {
        type     = "urn:lambda-authorizer:problem:${each.value.code}"
        title    = each.value.title
        status   = each.value.status
        detail   = each.value.detail
        instance = "$context.requestId"
        # Where a policy refused the request, its context says why.
        reason = each.key == "ACCESS_DENIED" ? "$context.authorizer.reason" : null
      } : member => value if value != null
    })
  }
}
