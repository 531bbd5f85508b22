variable "prefix" {
  description = "What the alarms' names begin with."
  type        = string
}

variable "alarms" {
  description = <<-EOT
    The alarms by name, which is also the heading of their entry in RUNBOOK.md unless `runbook` names another.

    - `metric`: one metric; or
    - `expression` over `metrics`, with `band`, an expression over it, in place of a threshold.
    - `datapoints` of `periods` must be over the threshold. Missing data never is.
  EOT
  type = map(object({
    description = string
    runbook     = optional(string)
    metric = optional(object({
      namespace  = string
      name       = string
      stat       = string
      dimensions = optional(map(string), {})
    }))
    expression = optional(string)
    label      = optional(string)
    band       = optional(string)
    metrics = optional(map(object({
      namespace  = string
      name       = string
      stat       = optional(string, "Sum")
      dimensions = optional(map(string), {})
    })), {})
    comparison = optional(string, "GreaterThanOrEqualToThreshold")
    threshold  = optional(number)
    period     = optional(number, 60)
    periods    = number
    datapoints = number
  }))
}

variable "topics" {
  description = "ARNs of the SNS topics that are told of the alarm, and of its end."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags of the alarms."
  type        = map(string)
  default     = {}
}
