output "rest_authorizer_id" {
  description = "For aws_api_gateway_method: authorization = \"CUSTOM\", authorizer_id = this. Null without rest_api."
  value       = lookup(local.authorizer_ids, "rest", null)
}

output "http_authorizer_id" {
  description = "For aws_apigatewayv2_route: authorization_type = \"CUSTOM\", authorizer_id = this. Null without http_api."
  value       = lookup(local.authorizer_ids, "http", null)
}

output "websocket_authorizer_id" {
  description = "For the route $connect: authorization_type = \"CUSTOM\", authorizer_id = this. Null without websocket_api."
  value       = lookup(local.authorizer_ids, "websocket", null)
}

output "rest_revision" {
  description = "Changes with everything here that a REST API serves only from its next deployment: put it into the triggers of aws_api_gateway_deployment."
  value = sha256(jsonencode([
    lookup(local.authorizer_ids, "rest", null),
    [for a in aws_api_gateway_authorizer.rest : [a.type, a.authorizer_uri, a.identity_source, a.authorizer_result_ttl_in_seconds, a.identity_validation_expression]],
    [for s in aws_cloudformation_stack.authorizer : s.template_body],
    { for type, r in aws_api_gateway_gateway_response.this : type => [r.id, r.status_code, r.response_parameters, r.response_templates] },
  ]))
}

output "settings" {
  description = "What each authorizer was set to, by rest, http and websocket."
  value = {
    for kind, s in module.settings : kind => {
      cache_ttl        = s.cache_ttl
      identity_sources = s.identity_sources
      simple_responses = s.simple
      credentials      = s.credentials
    }
  }
}

output "functions" {
  description = "The functions, by rest, http and websocket: name, alias, log group, and what a gradual deployment needs."
  value = {
    for kind, f in module.function : kind => { name = f.name, alias = f.alias, alias_arn = f.alias_arn, log_group = f.log_group, deployment = f.deployment }
  }
}

output "policies" {
  description = "What each function may do, as IAM policy documents."
  value       = merge({ for kind, f in module.function : kind => f.policy }, { for f in module.rotate : "rotate" => f.policy })
}

output "revocations_table" {
  description = "The table that `authctl --table` takes: name and ARN; null where nothing can be revoked."
  value       = local.revocations_table
}

output "nonces_table" {
  description = "The table of used nonces: name and ARN; null where no signatures are accepted."
  value       = local.nonces_table
}

output "secrets" {
  description = "The secrets made here, name to ARN. Each is empty until authctl writes the first key."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "flush" {
  description = "What `authctl revoke --flush` takes so that a revocation is in force at once; only where answers are cached."
  value = concat(
    [for kind, s in module.settings : "rest:${var.rest_api.id}/${var.rest_api.stage}" if kind == "rest" && s.cache_ttl > 0],
    [for kind, s in module.settings : "http:${var.http_api.id}/${var.http_api.stage}" if kind == "http" && s.cache_ttl > 0],
  )
}

output "access_log_formats" {
  description = "Access log formats as JSON for a REST, an HTTP and a WebSocket API: who was let in, by which decision, and how long the authorizer took. Where the configuration says `log: {principal: hash}` the principal is left out."
  value       = local.access_log_formats
}

output "alarms" {
  description = "Names of the alarms, by what they watch; empty with `alarms.enabled = false`."
  value       = local.alarm_names
}
