# What API Gateway is told about each kind of API, from one configuration.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "orders"
  package       = "versions.tf" # any file: what is in it is not looked at here
  configuration = "../authorizer.yaml"
  environment   = { ISSUER = "https://idp.example.com/", AUDIENCE = "https://api.example.com" }
}

run "tokens_kept_for_five_minutes_in_front_of_a_rest_api" {
  variables {
    rest_api = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod" }
  }

  assert {
    condition     = one(aws_api_gateway_authorizer.rest).type == "REQUEST" && one(aws_api_gateway_authorizer.rest).authorizer_result_ttl_in_seconds == 300
    error_message = "a REQUEST authorizer whose answers are kept for 300 s was expected"
  }
  assert {
    condition     = one(aws_api_gateway_authorizer.rest).identity_source == "method.request.header.Authorization"
    error_message = "its identity source is not the configuration's"
  }
  assert {
    condition     = endswith(one(aws_api_gateway_authorizer.rest).authorizer_uri, ":live/invocations")
    error_message = "API Gateway does not call the alias"
  }
  assert {
    condition     = aws_lambda_permission.authorizer["rest"].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:abc/authorizers/rest01" && aws_lambda_permission.authorizer["rest"].qualifier == "live"
    error_message = "the permission is not for this authorizer of this API alone"
  }
  assert {
    condition     = length(aws_apigatewayv2_authorizer.http) == 0 && length(aws_apigatewayv2_authorizer.websocket) == 0 && length(aws_cloudformation_stack.authorizer) == 0 && length(aws_api_gateway_gateway_response.this) == 0
    error_message = "more was made than was asked for"
  }
  assert {
    condition     = output.flush == ["rest:abc/prod"] && output.rest_authorizer_id == "rest01" && output.http_authorizer_id == null
    error_message = "the outputs do not tell what was made"
  }
}

run "a_token_authorizer_with_a_validation_expression" {
  variables {
    rest_api = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod", type = "TOKEN", validation_expression = "^Bearer .+$" }
  }

  assert {
    condition     = one(aws_api_gateway_authorizer.rest).type == "TOKEN" && one(aws_api_gateway_authorizer.rest).identity_validation_expression == "^Bearer .+$"
    error_message = "a TOKEN authorizer with its expression was expected"
  }
}

run "the_same_configuration_in_front_of_an_http_api" {
  variables {
    http_api = { id = "def", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:def" }
  }

  assert {
    condition     = one(aws_apigatewayv2_authorizer.http).identity_sources == toset(["$request.header.Authorization"])
    error_message = "the identity source is not spelled for an HTTP API"
  }
  assert {
    condition     = one(aws_apigatewayv2_authorizer.http).authorizer_payload_format_version == "2.0" && one(aws_apigatewayv2_authorizer.http).enable_simple_responses == false && one(aws_apigatewayv2_authorizer.http).authorizer_result_ttl_in_seconds == 300
    error_message = "payload 2.0, policies and 300 s were expected"
  }
  assert {
    condition     = output.flush == ["http:def/$default"]
    error_message = "the stage to flush is not named"
  }
}

run "simple_responses_keep_the_order_of_the_sources" {
  variables {
    http_api = { id = "def", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:def", simple_responses = true }
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.authorizer["http"].template_body).Resources.Authorizer.Properties.IdentitySource == ["$request.header.Authorization", "$context.routeKey"]
    error_message = "the function looks for the route key at its declared index"
  }
  assert {
    condition     = jsondecode(aws_cloudformation_stack.authorizer["http"].template_body).Resources.Authorizer.Properties.EnableSimpleResponses && length(aws_apigatewayv2_authorizer.http) == 0
    error_message = "one authorizer with simple responses was expected"
  }
  assert {
    condition     = aws_lambda_permission.authorizer["http"].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:def/authorizers/stack1"
    error_message = "the permission is not for the stack's authorizer"
  }
  assert {
    condition     = output.settings.http.identity_sources[1] == "$context.routeKey" && output.settings.http.simple_responses
    error_message = "the settings do not tell it"
  }
}

run "without_caching_a_rest_authorizer_has_no_source_and_an_http_one_no_ttl" {
  variables {
    configuration = "../authorizer-uncached.yaml"
    rest_api      = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod" }
    http_api      = { id = "def", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:def" }
  }

  assert {
    condition     = !contains(keys(jsondecode(aws_cloudformation_stack.authorizer["rest"].template_body).Resources.Authorizer.Properties), "IdentitySource") && length(aws_api_gateway_authorizer.rest) == 0
    error_message = "a REST authorizer without an identity source was expected"
  }
  assert {
    condition     = jsondecode(aws_cloudformation_stack.authorizer["rest"].template_body).Resources.Authorizer.Properties.AuthorizerResultTtlInSeconds == 0
    error_message = "its answers would be kept"
  }
  assert {
    condition     = one(aws_apigatewayv2_authorizer.http).authorizer_result_ttl_in_seconds == 0 && try(length(one(aws_apigatewayv2_authorizer.http).identity_sources), 0) == 0
    error_message = "an HTTP authorizer without caching and without sources was expected"
  }
  assert {
    condition     = length(output.flush) == 0
    error_message = "there is nothing to flush"
  }
}

run "a_websocket_authorizer_has_neither_ttl_nor_payload_version" {
  variables {
    websocket_api = { id = "ghi", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:ghi" }
  }

  assert {
    condition     = one(aws_apigatewayv2_authorizer.websocket).identity_sources == toset(["route.request.header.Authorization"]) && one(aws_apigatewayv2_authorizer.websocket).authorizer_payload_format_version == null
    error_message = "the source is not spelled for a WebSocket API, or there is a payload version"
  }
}

run "each_api_has_a_function_with_its_own_configuration" {
  variables {
    rest_api = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod", configuration = "../authorizer-uncached.yaml" }
    http_api = { id = "def", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:def" }
  }

  assert {
    condition     = output.settings.rest.cache_ttl == 0 && output.settings.http.cache_ttl == 300
    error_message = "the two do not have their own TTL"
  }
  assert {
    condition     = strcontains(output.policies.rest, "ReadSecrets") && !strcontains(output.policies.http, "ReadSecrets") && !strcontains(output.policies.http, "SpendNonces")
    error_message = "a function may do what only the other needs"
  }
}

run "a_variable_sets_the_ttl_for_the_function_and_for_api_gateway" {
  variables {
    configuration = "tests/configurations/ttl-from-the-environment.yaml"
    environment   = { TTL = "2m30s" }
    rest_api      = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod" }
  }

  assert {
    condition     = one(aws_api_gateway_authorizer.rest).authorizer_result_ttl_in_seconds == 150
    error_message = "150 s were expected"
  }
}
