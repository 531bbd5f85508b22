# What the functions may do, and who may call them.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "orders"
  package       = "versions.tf"
  configuration = "../authorizer-uncached.yaml"
  environment   = { ISSUER = "https://idp.example.com/", AUDIENCE = "https://api.example.com" }
  http_api      = { id = "def", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:def" }
}

run "everything_on" {
  variables {
    secrets = {
      existing         = { "authorizer/api-keys" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs-AbCdEf" }
      kms_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/secrets"
      rotation_package = "versions.tf"
    }
    tables = { kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/tables" }
  }

  # Every wildcard that stands in a policy here, and why: a log stream's name is
  # Lambda's to choose, X-Ray has no resources to name.
  assert {
    condition = alltrue(flatten([
      for policy in values(output.policies) : [
        for s in jsondecode(policy).Statement : [
          for resource in s.Resource : !strcontains(resource, "*") || (s.Sid == "WriteLog" && endswith(resource, ":log-group:made-up:*")) || (s.Sid == "WriteTraces" && resource == "*")
        ]
      ]
    ]))
    error_message = "a resource has a wildcard"
  }
  assert {
    condition     = alltrue(flatten([for policy in values(output.policies) : [for s in jsondecode(policy).Statement : s.Effect == "Allow" && !strcontains(join(",", s.Action), "*")]]))
    error_message = "an action has a wildcard"
  }
  assert {
    condition = { for s in jsondecode(output.policies.http).Statement : s.Sid => s.Action } == {
      WriteLog        = ["logs:CreateLogStream", "logs:PutLogEvents"]
      WriteTraces     = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      ReadRevocations = ["dynamodb:GetItem", "dynamodb:BatchGetItem"]
      SpendNonces     = ["dynamodb:PutItem"]
      ReadSecrets     = ["secretsmanager:GetSecretValue"]
      DecryptSecrets  = ["kms:Decrypt"]
      DecryptTables   = ["kms:Decrypt"]
    }
    error_message = "the authorizer may do something else than it needs"
  }
  assert {
    condition = { for s in jsondecode(output.policies.http).Statement : s.Sid => s.Condition if can(s.Condition) } == {
      DecryptSecrets = { StringEquals = { "kms:ViaService" = "secretsmanager.eu-central-1.amazonaws.com" } }
      DecryptTables  = { StringEquals = { "kms:ViaService" = "dynamodb.eu-central-1.amazonaws.com" } }
    }
    error_message = "a key may be used in another way than through its service"
  }
  assert {
    condition     = contains(one([for s in jsondecode(output.policies.http).Statement : s.Resource if s.Sid == "ReadSecrets"]), "arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs-AbCdEf") && !contains(keys(output.secrets), "authorizer/api-keys")
    error_message = "a secret that exists is made, or not read"
  }
  assert {
    condition     = alltrue([for s in jsondecode(output.policies.rotate).Statement : s.Sid != "RotateSecrets" || length(s.Resource) == 1]) && !strcontains(output.policies.rotate, "dynamodb")
    error_message = "the rotation reaches more than its secret"
  }
  assert {
    condition     = [for p in aws_lambda_permission.rotate : p.principal] == ["secretsmanager.amazonaws.com"] && alltrue([for p in aws_lambda_permission.rotate : p.source_arn != null])
    error_message = "anybody may call the rotation"
  }
  assert {
    condition     = keys(aws_secretsmanager_secret_rotation.this) == ["authorizer/legacy-jwt"]
    error_message = "something else than the HS256 keys is rotated whole"
  }
}

run "tokens_alone_need_the_table_alone" {
  variables {
    configuration = "../authorizer.yaml"
  }
  assert {
    condition     = { for s in jsondecode(output.policies.http).Statement : s.Sid => s.Action if !startswith(s.Sid, "Write") } == { ReadRevocations = ["dynamodb:GetItem", "dynamodb:BatchGetItem"] }
    error_message = "the authorizer may do something else than it needs"
  }
  assert {
    condition     = length(output.secrets) == 0 && output.nonces_table == null && length(module.rotate) == 0
    error_message = "something was made that the configuration does not ask for"
  }
}
