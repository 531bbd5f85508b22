# No provider: what this module says can be asked without credentials.
terraform {
  required_version = ">= 1.9"
}
