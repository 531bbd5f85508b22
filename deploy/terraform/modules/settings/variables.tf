variable "configuration" {
  description = "Path of the authorizer.yaml that is in the function's zip."
  type        = string

  validation {
    condition     = can(keys(yamldecode(file(var.configuration))))
    error_message = "There is no YAML mapping in a file at ${var.configuration}."
  }
}

variable "kind" {
  description = "The authorizer to set up: REST_TOKEN, REST_REQUEST, HTTP (payload 2.0) or WEBSOCKET."
  type        = string

  validation {
    condition     = contains(["REST_TOKEN", "REST_REQUEST", "HTTP", "WEBSOCKET"], var.kind)
    error_message = "kind must be REST_TOKEN, REST_REQUEST, HTTP or WEBSOCKET."
  }
}

variable "simple" {
  description = "Whether the function runs with the zip's authorizer-simple.yaml, which `make package` makes of the configuration for an HTTP API with simple responses."
  type        = bool
  default     = false
}

variable "environment" {
  description = "The function's environment variables, which replace $${NAME} in the configuration's values."
  type        = map(string)
  default     = {}
}

variable "provided" {
  description = "Names of environment variables that are set besides. Their values play no part here."
  type        = list(string)
  default     = []
}
