variable "name" {
  description = "The function's name, at most 64 characters."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has 1 to 64 letters, digits, - and _; ${var.name} does not fit."
  }
}

variable "description" {
  description = "What it is, for the console."
  type        = string
}

variable "package" {
  description = "Path of the zip with its bootstrap, built for linux/arm64."
  type        = string

  validation {
    condition     = can(filesha256(var.package))
    error_message = "There is no file at ${var.package}: `make package` makes it."
  }
}

variable "environment" {
  description = "Its environment variables."
  type        = map(string)
  default     = {}
}

variable "statements" {
  description = "What it may do, besides writing its log and its traces. Every statement is an Allow on the resources named, which hold no wildcard; with `via` only through that service, in this Region."
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    via       = optional(string)
  }))
  default = []

  validation {
    condition     = !anytrue([for s in var.statements : anytrue([for text in concat(s.actions, s.resources) : can(regex("[*?]", text))])])
    error_message = "A function's statements name whole actions and whole resources, without wildcards."
  }
}

variable "settings" {
  description = "See the variable `function` of the root module."
  type = object({
    memory_mb               = optional(number, 512)
    timeout_seconds         = optional(number, 10)
    log_level               = optional(string, "info")
    log_retention_days      = optional(number, 90)
    log_kms_key_arn         = optional(string)
    tracing                 = optional(bool, true)
    reserved_concurrency    = optional(number)
    provisioned_concurrency = optional(number, 0)
    provisioned_schedule = optional(list(object({
      name     = string
      schedule = string
      capacity = number
      timezone = optional(string, "UTC")
    })), [])
    gradual_deployment   = optional(string)
    permissions_boundary = optional(string)
  })
  default = {}
}

variable "rollback_alarms" {
  description = "Names of the alarms that end a gradual deployment and put the old version back."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
}
