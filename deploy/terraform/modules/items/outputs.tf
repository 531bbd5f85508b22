output "rest_api_id" {
  description = "The REST API's id, null without one. For `rest_api` of the root module, as the next two."
  value       = one(aws_api_gateway_rest_api.this[*].id)
}

output "rest_api_name" {
  description = "Its name."
  value       = one(aws_api_gateway_rest_api.this[*].name)
}

output "rest_execution_arn" {
  description = "Its execution ARN."
  value       = one(aws_api_gateway_rest_api.this[*].execution_arn)
}

output "rest_url" {
  description = "Where it answers, unless it has a domain or is private."
  value       = one(aws_api_gateway_stage.this[*].invoke_url)
}

output "http_api_id" {
  description = "The HTTP API's id, null without one. For `http_api` of the root module, as the next one."
  value       = one(aws_apigatewayv2_api.this[*].id)
}

output "http_execution_arn" {
  description = "Its execution ARN."
  value       = one(aws_apigatewayv2_api.this[*].execution_arn)
}

output "http_url" {
  description = "Where it answers, unless it has a domain."
  value       = one(aws_apigatewayv2_stage.this[*].invoke_url)
}

output "domain_targets" {
  description = "What the domains' DNS names must point to: a regional domain name and its hosted zone, by rest and http."
  value = merge(
    { for d in aws_api_gateway_domain_name.this : "rest" => { name = d.regional_domain_name, zone_id = d.regional_zone_id } },
    { for d in aws_apigatewayv2_domain_name.this : "http" => { name = d.domain_name_configuration[0].target_domain_name, zone_id = d.domain_name_configuration[0].hosted_zone_id } },
  )
}

output "routes" {
  description = "The routes, as METHOD /template, and whether each is public."
  value       = { for key, route in local.routes : key => route.public }
}

output "usage_plan_id" {
  description = "The usage plan, null without one: add an API key whose value is a caller's usage_identifier_key."
  value       = one(aws_api_gateway_usage_plan.this[*].id)
}

output "policy" {
  description = "What the function may do, as an IAM policy document."
  value       = module.function.policy
}

output "page_alarms" {
  description = "The alarms that somebody must get up for, for `alarms.page_also` of the root module."
  value       = [for key, name in merge(module.alarms[*].names...) : name if contains(["ItemsErrors", "RouteWithoutAuthorizer"], key)]
}

output "deployment" {
  description = "What `aws deploy create-deployment` needs; null without a gradual deployment."
  value       = module.function.deployment
}
