# How the functions run, and what watches over them.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "orders"
  package       = "versions.tf"
  configuration = "../authorizer.yaml"
  environment   = { ISSUER = "https://idp.example.com/", AUDIENCE = "https://api.example.com" }
  rest_api      = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod", gateway_responses = true, cors_origin = "https://app.example.com" }
}

run "the_defaults" {
  assert {
    condition     = module.function["rest"].deployment == null && module.function["rest"].name == "orders-authorizer-rest" && module.function["rest"].log_group == "/aws/lambda/orders-authorizer-rest"
    error_message = "the function is not called what it should be, or is deployed in steps unasked"
  }
  assert {
    condition     = strcontains(aws_cloudwatch_composite_alarm.page[0].alarm_rule, "ALARM(\"orders-RestAuthorizerErrors\")") && !strcontains(aws_cloudwatch_composite_alarm.page[0].alarm_rule, "Rest4xx")
    error_message = "the page is about the wrong alarms"
  }
  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets :
      widget.x + widget.width <= 24 && contains(["metric", "log"], widget.type) && widget.properties.region == "eu-central-1"
    ])
    error_message = "a widget does not fit the dashboard"
  }
  assert {
    condition     = alltrue([for q in aws_cloudwatch_query_definition.this : q.log_group_names == tolist(["/aws/lambda/orders-authorizer-rest"])])
    error_message = "a saved query asks the wrong log"
  }

  # Gateway responses.
  assert {
    condition     = aws_api_gateway_gateway_response.this["UNAUTHORIZED"].response_parameters["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'" && aws_api_gateway_gateway_response.this["THROTTLED"].response_parameters["gatewayresponse.header.Retry-After"] == "'1'"
    error_message = "a 401 without WWW-Authenticate, or a 429 without Retry-After"
  }
  assert {
    condition = alltrue([
      for r in aws_api_gateway_gateway_response.this : r.response_parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://app.example.com'" &&
      r.response_parameters["gatewayresponse.header.Content-Type"] == "'application/problem+json'" && startswith(jsondecode(r.response_templates["application/json"]).type, "urn:lambda-authorizer:problem:")
    ])
    error_message = "an answer that is no problem, or that the page cannot read"
  }
  assert {
    condition     = jsondecode(aws_api_gateway_gateway_response.this["ACCESS_DENIED"].response_templates["application/json"]).reason == "$context.authorizer.reason" && aws_api_gateway_gateway_response.this["MISSING_AUTHENTICATION_TOKEN"].status_code == "404"
    error_message = "a 403 without its reason, or a path that does not exist with another answer than 404"
  }
  assert {
    condition     = jsondecode(output.access_log_formats.rest).principal == "$context.authorizer.principal" && jsondecode(output.access_log_formats.rest).authorizer_latency == "$context.authorizer.latency"
    error_message = "the access log does not tell who, or how long it took"
  }
}

run "a_gradual_deployment_that_alarms_end" {
  variables {
    function = { gradual_deployment = "LambdaCanary10Percent5Minutes", reserved_concurrency = 50, provisioned_concurrency = 5, memory_mb = 1024 }
  }
  assert {
    condition     = module.function["rest"].deployment.application_name == "orders-authorizer-rest" && module.function["rest"].deployment.deployment_group_name == "live"
    error_message = "there is no deployment"
  }
  assert {
    condition     = jsondecode(jsondecode(module.function["rest"].deployment.revision).appSpecContent.content).Resources[0].live.Properties.TargetVersion == "7"
    error_message = "the deployment does not lead to the newest version"
  }
}

run "no_alarms_and_no_principal_in_the_log" {
  variables {
    configuration = "tests/configurations/hashed-principal.yaml"
    alarms        = { enabled = false }
  }
  assert {
    condition     = output.alarms == {} && length(aws_cloudwatch_dashboard.this) == 0 && length(aws_cloudwatch_log_metric_filter.unauthorized) == 0
    error_message = "something watches that was switched off"
  }
  assert {
    condition     = alltrue([for format in values(output.access_log_formats) : !can(jsondecode(format).principal)])
    error_message = "the access log tells the principal that the decision line hides"
  }
}

run "decisions_are_watched_by_one_module_of_the_account" {
  variables {
    alarms = { decisions = false }
  }
  assert {
    condition     = !contains(keys(output.alarms), "DependencyFaults") && contains(keys(output.alarms), "RestAuthorizerErrors")
    error_message = "the alarms of the whole account are there, or those of the function are not"
  }
}
