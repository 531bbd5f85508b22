// Package check tries the Terraform module with Terraform itself, the AWS
// provider and a DynamoDB-compatible server: formatting, validation, the
// module's own tests, plans of the examples with made-up credentials, and an
// apply of the tables. It compares what the module says with the service's own
// configuration loader, its table definitions and the CloudFormation templates.
// It reaches no AWS account, so what only AWS can answer it does not know.
//
//	go test -tags terraform ./deploy/terraform/check
//
// Terraform must be on the PATH. The AWS provider is taken from TF_PLUGIN_DIR,
// else from any directory of this machine that is laid out as a mirror, else
// from Terraform's registry.
package check
