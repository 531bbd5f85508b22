variable "name" {
  description = "What everything made here is called, as a prefix."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 40 lower-case letters, digits and -, and begin with a letter."
  }
}

variable "package" {
  description = "Path of build/items.zip."
  type        = string
}

variable "openapi" {
  description = "Path of items/openapi.yaml, which names the routes and describes the bodies. Default: the one of this repository."
  type        = string
  default     = null

  validation {
    condition     = var.openapi == null || can(keys(yamldecode(file(var.openapi)).paths))
    error_message = "openapi must be the path of an OpenAPI document in YAML."
  }
}

variable "rest" {
  description = <<-EOT
    The REST API, or null for none.

    - `stage`: default prod.
    - `throttle`: requests per second and at once, of the stage.
    - `usage_plan`: meters by the `usage_identifier_key` of the caller's API key record. Callers without one get 403.
    - `domain`: a custom domain with TLS 1.2 or later; with `truststore` (s3://…) clients must present a certificate. The API's own address is then closed.
    - `web_acl_arn`: a regional WAF web ACL.
    - `vpc_endpoint_ids`: with any, the API is private and answers through these endpoints alone.
  EOT
  type = object({
    stage            = optional(string, "prod")
    throttle         = optional(object({ rate = number, burst = number }), { rate = 1000, burst = 500 })
    usage_plan       = optional(object({ rate = number, burst = number, quota_per_day = number }))
    domain           = optional(object({ name = string, certificate_arn = string, truststore = optional(string) }))
    web_acl_arn      = optional(string)
    vpc_endpoint_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = length(try(var.rest.vpc_endpoint_ids, [])) == 0 || try(var.rest.domain, null) == null
    error_message = "rest: a private API has no regional domain: leave domain or vpc_endpoint_ids out."
  }
}

variable "http" {
  description = "The HTTP API, or null for none: `throttle` and `domain` as for `rest`. Its stage is $default."
  type = object({
    throttle = optional(object({ rate = number, burst = number }), { rate = 1000, burst = 500 })
    domain   = optional(object({ name = string, certificate_arn = string, truststore = optional(string) }))
  })
  default = null
}

# Apart from `rest` and `http`, because an authorizer belongs to an API that is
# made of those.

variable "rest_authorizer_id" {
  description = "`rest_authorizer_id` of the root module. Every route of the REST API but the public ones uses it."
  type        = string
  default     = null

  validation {
    condition     = var.rest == null || var.rest_authorizer_id != null
    error_message = "rest needs rest_authorizer_id: without it every route would be refused by API Gateway, or open."
  }
}

variable "rest_revision" {
  description = "`rest_revision` of the root module: the stage is deployed anew when the authorizer changes."
  type        = string
  default     = ""
}

variable "http_authorizer_id" {
  description = "`http_authorizer_id` of the root module. Every route of the HTTP API but the public ones uses it."
  type        = string
  default     = null

  validation {
    condition     = var.http == null || var.http_authorizer_id != null
    error_message = "http needs http_authorizer_id: without it every route would be refused by API Gateway, or open."
  }
}

variable "cors_origins" {
  description = "Origins whose web pages may call, as a browser writes them (https://app.example.com); [\"*\"] for any."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for o in var.cors_origins : can(regex("^https?://[a-z0-9.:-]+$", o))]) || var.cors_origins == tolist(["*"])
    error_message = "cors_origins are written as https://app.example.com, in lower case and without a path; * stands alone."
  }
}

variable "access_log_formats" {
  description = "`access_log_formats` of the root module."
  type        = object({ rest = string, http = string })
}

variable "account_log_role" {
  description = "Make the role with which API Gateway writes a REST API's logs. There is one for each account and Region, whoever makes it last: leave this false where it exists."
  type        = bool
  default     = false
}

variable "log_principal" {
  description = "plain or hash: how the principal stands in the function's lines."
  type        = string
  default     = "plain"
}

variable "tables" {
  description = "See the variable `tables` of the root module."
  type = object({
    point_in_time_recovery = optional(bool, true)
    deletion_protection    = optional(bool, true)
    kms_key_arn            = optional(string)
  })
  default = {}
}

variable "cursor_secret_kms_key_arn" {
  description = "Your own key for the secret that authenticates cursors; default: Secrets Manager's AWS managed key."
  type        = string
  default     = null
}

variable "function" {
  description = "See the variable `function` of the root module."
  type = object({
    memory_mb               = optional(number)
    timeout_seconds         = optional(number)
    log_level               = optional(string)
    log_retention_days      = optional(number)
    log_kms_key_arn         = optional(string)
    tracing                 = optional(bool)
    reserved_concurrency    = optional(number)
    provisioned_concurrency = optional(number)
    provisioned_schedule    = optional(list(object({ name = string, schedule = string, capacity = number, timezone = optional(string) })))
    gradual_deployment      = optional(string)
    permissions_boundary    = optional(string)
  })
  default = {}
}

variable "alarm_topics" {
  description = "ARNs of SNS topics for the alarms; null for no alarms."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
}
