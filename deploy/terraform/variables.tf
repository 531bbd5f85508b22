variable "name" {
  description = "What everything made here is called, as a prefix."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 40 lower-case letters, digits and -, and begin with a letter: it is the beginning of names that may be 64 long."
  }
}

variable "package" {
  description = "Path of build/authorizer.zip. An API may have another one: see `rest_api`."
  type        = string

  validation {
    condition     = can(filesha256(var.package))
    error_message = "There is no file at ${var.package}: `make package` makes it."
  }
}

variable "configuration" {
  description = "Path of the authorizer.yaml that `make package CONFIG=…` put into that zip. The authorizers' TTL, identity sources and response form are read from it, and so is which secrets and tables the functions may use."
  type        = string

  validation {
    condition     = can(keys(yamldecode(file(var.configuration))))
    error_message = "There is no YAML mapping in a file at ${var.configuration}."
  }
}

variable "environment" {
  description = "What $${NAME} in the configuration stands for. REVOCATIONS_TABLE, NONCES_TABLE and API_ID are set here."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.environment), ["REVOCATIONS_TABLE", "NONCES_TABLE", "API_ID", "AUTHORIZER_CONFIG", "LOG_LEVEL"])) == 0
    error_message = "environment holds ${join(", ", setintersection(keys(var.environment), ["REVOCATIONS_TABLE", "NONCES_TABLE", "API_ID", "AUTHORIZER_CONFIG", "LOG_LEVEL"]))}, which this module sets: see revocations_table, nonces_table and function.log_level."
  }
}

variable "rest_api" {
  description = <<-EOT
    The REST API to attach to, or null.

    - `id`, `execution_arn`: of the API.
    - `name`, `stage`: of the API and its stage, by which CloudWatch files their metrics.
    - `type`: REQUEST, or TOKEN, which hands over the token and nothing else.
    - `validation_expression`: with TOKEN, what a token must match before the function is called.
    - `gateway_responses`: answer API Gateway's own errors, of the whole API, as RFC 9457 problems.
    - `cors_origin`: the origin that may read those, or * for any. Default: none.
    - `package`, `configuration`: in place of the module's own.
  EOT
  type = object({
    id                    = string
    execution_arn         = string
    name                  = string
    stage                 = string
    type                  = optional(string, "REQUEST")
    validation_expression = optional(string)
    gateway_responses     = optional(bool, false)
    cors_origin           = optional(string)
    package               = optional(string)
    configuration         = optional(string)
  })
  default = null

  validation {
    condition     = var.rest_api == null || contains(["REQUEST", "TOKEN"], try(var.rest_api.type, ""))
    error_message = "rest_api.type must be REQUEST or TOKEN."
  }
  validation {
    condition     = try(var.rest_api.validation_expression, null) == null || try(var.rest_api.type, "") == "TOKEN"
    error_message = "rest_api.validation_expression is for TOKEN authorizers: a REQUEST authorizer has none."
  }
  validation {
    condition     = try(var.rest_api.cors_origin, null) == null || can(regex("^(\\*|https?://[^/'\\s]+)$", var.rest_api.cors_origin))
    error_message = "rest_api.cors_origin must be an origin as a browser writes it (https://app.example.com), or *."
  }
}

variable "http_api" {
  description = <<-EOT
    The HTTP API to attach to, or null. Its authorizer uses payload format 2.0.

    - `id`, `execution_arn`: of the API.
    - `stage`: its stage, by which CloudWatch files its metrics.
    - `simple_responses`: answer yes or no in place of a policy: the function then runs with authorizer-simple.yaml, which is in the same zip.
    - `package`, `configuration`: in place of the module's own.
  EOT
  type = object({
    id               = string
    execution_arn    = string
    stage            = optional(string, "$default")
    simple_responses = optional(bool, false)
    package          = optional(string)
    configuration    = optional(string)
  })
  default = null
}

variable "websocket_api" {
  description = <<-EOT
    The WebSocket API to attach to, or null. Only $connect has an authorizer, and nothing is cached.

    - `id`, `execution_arn`: of the API.
    - `package`, `configuration`: in place of the module's own.
  EOT
  type = object({
    id            = string
    execution_arn = string
    package       = optional(string)
    configuration = optional(string)
  })
  default = null
}

variable "revocations_table" {
  description = "A revocations table that exists, to share one among several authorizers. Default: one is made, unless the configuration says `revocations: none`."
  type        = object({ name = string, arn = string })
  default     = null
}

variable "nonces_table" {
  description = "A table of used nonces that exists. Default: one is made where the configuration accepts signatures."
  type        = object({ name = string, arn = string })
  default     = null
}

variable "tables" {
  description = <<-EOT
    How tables are made.

    - `point_in_time_recovery`: default true. Emulators of DynamoDB do not know the call.
    - `deletion_protection`: default true. `terraform destroy` fails until it is off.
    - `kms_key_arn`: your own key; default: DynamoDB's AWS managed key. Of a `revocations_table` or `nonces_table` that you pass it is the key they have.
  EOT
  type = object({
    point_in_time_recovery = optional(bool, true)
    deletion_protection    = optional(bool, true)
    kms_key_arn            = optional(string)
  })
  default = {}
}

variable "secrets" {
  description = <<-EOT
    The secrets that the configuration names are made here, empty: `authctl apikey create` and the like fill them, so no secret is ever in Terraform's state.

    - `existing`: secrets that exist already, name in the configuration to ARN. A secret that the configuration names by ARN exists anyhow.
    - `kms_key_arn`: your own key, for those made here and for the existing ones; default: Secrets Manager's AWS managed key.
    - `recovery_window_days`: how long a deleted secret can be had back, 7 to 30. Default 30.
    - `rotation_package`: path of the rotation function's zip. With it the secrets of HS256 keys made here are rotated.
    - `rotation_days`: how often, at least 2: the configuration's previous_grace must be over by then. Default 30.
  EOT
  type = object({
    existing             = optional(map(string), {})
    kms_key_arn          = optional(string)
    recovery_window_days = optional(number, 30)
    rotation_package     = optional(string)
    rotation_days        = optional(number, 30)
  })
  default = {}

  validation {
    condition     = alltrue([for arn in values(var.secrets.existing) : can(regex("^arn:[^*?]+$", arn))])
    error_message = "secrets.existing maps names to whole ARNs, without wildcards."
  }
  validation {
    condition     = var.secrets.recovery_window_days >= 7 && var.secrets.recovery_window_days <= 30
    error_message = "secrets.recovery_window_days must be 7 to 30."
  }
  validation {
    condition     = var.secrets.rotation_days >= 2 && var.secrets.rotation_days <= 1000
    error_message = "secrets.rotation_days must be 2 to 1000."
  }
}

variable "function" {
  description = <<-EOT
    How the functions run.

    - `memory_mb`: also decides the share of a CPU. Default 512.
    - `timeout_seconds`: default 10, which is as long as an HTTP API waits.
    - `log_level`: debug, info or warn, of the function's own log; decision lines are always written. Not error: the alarm JwksRefreshFailing counts a warning. Default info.
    - `log_retention_days`, `log_kms_key_arn`: of the log, which is the audit record. Default 90, and CloudWatch's own encryption.
    - `tracing`: X-Ray. Default true.
    - `reserved_concurrency`: most executions at once; also what is kept free for them. Default: the account's.
    - `provisioned_concurrency`: environments kept warm. Default 0.
    - `provisioned_schedule`: the same by the clock: `name`, `schedule` (cron(…) or at(…)), `capacity`, `timezone`.
    - `gradual_deployment`: a CodeDeploy configuration such as LambdaCanary10Percent5Minutes, which moves the alias in steps and back on alarm. Default: Terraform moves it at once.
    - `permissions_boundary`: ARN of a policy that bounds the roles made here.
  EOT
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

  validation {
    condition     = contains(["debug", "info", "warn"], coalesce(var.function.log_level, "info"))
    error_message = "function.log_level must be debug, info or warn: error would silence the alarm JwksRefreshFailing, which counts a warning."
  }
  validation {
    condition     = coalesce(var.function.timeout_seconds, 10) >= 2 && coalesce(var.function.timeout_seconds, 10) <= 29
    error_message = "function.timeout_seconds must be 2 to 29: API Gateway waits no longer."
  }
  validation {
    condition     = coalesce(var.function.reserved_concurrency, 1) > 0
    error_message = "function.reserved_concurrency of 0 would refuse every request; leave it out to have none reserved."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
}

variable "alarms" {
  description = <<-EOT
    Alarms, a page, a dashboard and saved queries; RUNBOOK.md has an entry for each alarm.

    - `enabled`: default true.
    - `topics`: ARNs of SNS topics for every alarm, and `page_topics` for the page alone, which is what somebody must get up for.
    - `page_also`: names of alarms of yours that page, too.
    - `decisions`: the alarms on decision lines. Their metrics are those of all authorizers of the account and Region, so one module is enough to have them. Default true.
    - `prices`: US dollars, for the cost on the dashboard. The defaults are those of us-east-1 for the first tier.
  EOT
  type = object({
    enabled     = optional(bool, true)
    topics      = optional(list(string), [])
    page_topics = optional(list(string), [])
    page_also   = optional(list(string), [])
    decisions   = optional(bool, true)
    prices = optional(object({
      gb_second           = optional(number, 0.0000133334)
      million_invocations = optional(number, 0.20)
      million_reads       = optional(number, 0.125)
    }), {})
  })
  default = {}
}
