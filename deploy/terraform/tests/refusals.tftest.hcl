# What stops a plan before anything is made.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "orders"
  package       = "versions.tf"
  configuration = "../authorizer.yaml"
  environment   = { ISSUER = "https://idp.example.com/", AUDIENCE = "https://api.example.com" }
  rest_api      = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod" }
}

run "nothing_to_attach_to" {
  command = plan
  variables {
    rest_api = null
  }
  expect_failures = [terraform_data.refusals]
}

run "a_configuration_that_is_unsafe_with_its_cache" {
  command = plan
  variables {
    configuration = "tests/configurations/network-without-address.yaml"
  }
  expect_failures = [terraform_data.refusals]
}

run "a_table_that_is_named_and_not_given" {
  command = plan
  variables {
    configuration = "tests/configurations/table-by-name.yaml"
  }
  expect_failures = [terraform_data.refusals]
}

run "a_table_that_is_named_and_given" {
  command = plan
  variables {
    configuration     = "tests/configurations/table-by-name.yaml"
    revocations_table = { name = "prod-revocations", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/prod-revocations" }
  }
  assert {
    condition     = length(module.revocations) == 0 && output.revocations_table.name == "prod-revocations"
    error_message = "the table that exists is not used"
  }
}

run "a_rotation_of_nothing" {
  command = plan
  variables {
    secrets = { rotation_package = "versions.tf" }
  }
  expect_failures = [terraform_data.refusals]
}

run "values_that_cannot_be" {
  command = plan
  variables {
    name          = "Orders!"
    package       = "no-such.zip"
    configuration = "no-such.yaml"
    environment   = { REVOCATIONS_TABLE = "other" }
    rest_api      = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod", type = "COGNITO" }
    function      = { timeout_seconds = 60 }
    secrets       = { existing = { "orders/api-keys" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:*" } }
  }
  expect_failures = [var.name, var.package, var.configuration, var.environment, var.rest_api, var.function, var.secrets]
}

run "an_expression_for_a_request_authorizer" {
  command = plan
  variables {
    rest_api = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod", validation_expression = "^Bearer .+$" }
  }
  expect_failures = [var.rest_api]
}

run "an_origin_with_a_quote" {
  command = plan
  variables {
    rest_api = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", name = "orders", stage = "prod", cors_origin = "https://app.example.com'" }
  }
  expect_failures = [var.rest_api]
}

run "a_log_without_the_warnings_that_an_alarm_counts" {
  command = plan
  variables {
    function = { log_level = "error" }
  }
  expect_failures = [var.function]
}
