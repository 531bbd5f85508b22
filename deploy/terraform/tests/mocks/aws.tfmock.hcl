# What AWS would answer, as far as a test looks at it.

mock_data "aws_region" {
  defaults = { name = "eu-central-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
}

mock_resource "aws_dynamodb_table" {
  defaults = { arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/made-up" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:made-up-AbCdEf", id = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:made-up-AbCdEf" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:made-up" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/made-up" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:made-up", version = "7" }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn        = "arn:aws:lambda:eu-central-1:123456789012:function:made-up:live"
    invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:made-up:live/invocations"
  }
}

mock_resource "aws_api_gateway_authorizer" {
  defaults = { id = "rest01" }
}

mock_resource "aws_apigatewayv2_authorizer" {
  defaults = { id = "http01" }
}

mock_resource "aws_cloudformation_stack" {
  defaults = { outputs = { AuthorizerId = "stack1", Arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cursor-AbCdEf" } }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = { id = "restapi", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:restapi", root_resource_id = "root" }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = { id = "httpapi", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:httpapi" }
}

mock_resource "aws_api_gateway_stage" {
  defaults = { arn = "arn:aws:apigateway:eu-central-1::/restapis/restapi/stages/prod" }
}

mock_resource "aws_codedeploy_app" {
  defaults = { arn = "arn:aws:codedeploy:eu-central-1:123456789012:application:made-up" }
}
