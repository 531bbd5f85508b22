# The items routes behind both kinds of API.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "items"
  package            = "versions.tf"
  access_log_formats = { rest = "{}", http = "{}" }
  rest_authorizer_id = "rest01"
  http_authorizer_id = "http01"
}

run "both_apis_with_everything" {
  module {
    source = "./modules/items"
  }
  variables {
    cors_origins = ["https://app.example.com"]
    rest = {
      throttle    = { rate = 10, burst = 5 }
      usage_plan  = { rate = 5, burst = 2, quota_per_day = 1000 }
      domain      = { name = "api.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/a", truststore = "s3://trust/ca.pem" }
      web_acl_arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/b"
    }
    http = {}
  }

  assert {
    condition     = output.routes == { "GET /items" = false, "POST /items" = false, "GET /items/{id}" = false, "PUT /items/{id}" = false, "PATCH /items/{id}" = false, "DELETE /items/{id}" = false, "GET /health" = true }
    error_message = "the routes are not those of the OpenAPI document"
  }
  assert {
    condition = alltrue([
      for key, m in aws_api_gateway_method.this : contains(["GET /health", "OPTIONS /items", "OPTIONS /items/{id}"], key) ?
      m.authorization == "NONE" && !m.api_key_required : m.authorization == "CUSTOM" && m.authorizer_id == "rest01" && m.api_key_required
    ])
    error_message = "a method is open that should not be, or has no usage plan"
  }
  assert {
    condition     = alltrue([for key, r in aws_apigatewayv2_route.this : key == "GET /health" ? r.authorization_type == "NONE" : r.authorization_type == "CUSTOM" && r.authorizer_id == "http01"])
    error_message = "a route is open that should not be"
  }
  assert {
    condition     = toset(keys(aws_api_gateway_method.this["PATCH /items/{id}"].request_models)) == toset(["application/json", "application/merge-patch+json"]) && length(aws_api_gateway_method.this["GET /items"].request_models) == 0
    error_message = "a body is not validated, or one that is none is"
  }
  assert {
    condition     = !strcontains(aws_api_gateway_model.this["Patch"].schema, "required") && jsondecode(aws_api_gateway_model.this["Content"].schema).properties.metadata.maxProperties == 50
    error_message = "a model is not what draft 4 has, or not what the document says"
  }
  assert {
    condition     = aws_lambda_permission.rest["GET /items/{id}"].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:restapi/prod/GET/items/*" && aws_lambda_permission.http["POST /items"].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:httpapi/$default/POST/items"
    error_message = "the permissions are not for these methods alone"
  }
  assert {
    condition     = aws_api_gateway_rest_api.this[0].api_key_source == "AUTHORIZER" && aws_api_gateway_rest_api.this[0].disable_execute_api_endpoint && !aws_apigatewayv2_api.this[0].disable_execute_api_endpoint
    error_message = "usage is metered by a header, or the API answers beside its domain"
  }
  assert {
    condition     = aws_api_gateway_domain_name.this[0].security_policy == "TLS_1_2" && aws_api_gateway_domain_name.this[0].mutual_tls_authentication[0].truststore_uri == "s3://trust/ca.pem"
    error_message = "the domain takes old TLS, or asks for no certificate"
  }
  assert {
    condition     = aws_api_gateway_method_settings.this[0].settings[0].data_trace_enabled == false && aws_api_gateway_method_settings.this[0].settings[0].throttling_rate_limit == 10
    error_message = "requests are logged whole, or not throttled"
  }
  assert {
    condition = alltrue(flatten([
      for s in jsondecode(output.policy).Statement : [
        for resource in s.Resource : !strcontains(resource, "*") || (s.Sid == "WriteLog" && endswith(resource, ":log-group:made-up:*")) || (s.Sid == "WriteTraces" && resource == "*")
      ]
    ]))
    error_message = "a resource has a wildcard"
  }
  assert {
    condition     = one([for s in jsondecode(output.policy).Statement : s.Action if s.Sid == "UseItems"]) == ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]
    error_message = "the function may do something else to the table than it does"
  }
  assert {
    condition     = !contains(keys(jsondecode(aws_cloudformation_stack.cursor_secret.template_body).Resources.Secret.Properties), "SecretString") && jsondecode(aws_cloudformation_stack.cursor_secret.template_body).Resources.Secret.Properties.GenerateSecretString.PasswordLength >= 32
    error_message = "the cursors' secret is known to Terraform"
  }
}

run "a_private_rest_api_alone" {
  module {
    source = "./modules/items"
  }
  variables {
    rest = { vpc_endpoint_ids = ["vpce-1a2b3c4d"] }
  }

  assert {
    condition     = aws_api_gateway_rest_api.this[0].endpoint_configuration[0].types == tolist(["PRIVATE"]) && length(aws_apigatewayv2_api.this) == 0
    error_message = "the API is not private, or there is another"
  }
  assert {
    condition = [for s in jsondecode(aws_api_gateway_rest_api_policy.this[0].policy).Statement : s.Resource if s.Effect == "Allow"] == [[
      "arn:aws:execute-api:eu-central-1:123456789012:restapi/prod/GET/health",
      "arn:aws:execute-api:eu-central-1:123456789012:restapi/prod/OPTIONS/items",
      "arn:aws:execute-api:eu-central-1:123456789012:restapi/prod/OPTIONS/items/*",
    ]]
    error_message = "the resource policy allows a route that has the authorizer: that would stand in where a policy is silent"
  }
}

run "an_http_api_alone" {
  command = plan
  module {
    source = "./modules/items"
  }
  variables {
    http = {}
  }
  assert {
    condition     = length(aws_api_gateway_rest_api.this) == 0 && length(aws_api_gateway_method.this) == 0 && length(aws_apigatewayv2_route.this) == 7
    error_message = "there is a REST API, or a route is missing"
  }
}

run "a_private_api_with_a_domain" {
  command = plan
  module {
    source = "./modules/items"
  }
  variables {
    rest = { vpc_endpoint_ids = ["vpce-1a2b3c4d"], domain = { name = "api.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/a" } }
  }
  expect_failures = [var.rest]
}

run "an_api_without_its_authorizer" {
  command = plan
  module {
    source = "./modules/items"
  }
  variables {
    rest               = {}
    rest_authorizer_id = null
    http               = {}
    http_authorizer_id = null
  }
  expect_failures = [var.rest_authorizer_id, var.http_authorizer_id]
}
