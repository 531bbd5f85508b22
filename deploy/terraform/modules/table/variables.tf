variable "name" {
  description = "The table's name."
  type        = string
}

variable "key" {
  description = "Its partition key and, where it has one, its sort key. Both are strings."
  type        = object({ partition = string, sort = optional(string) })
}

variable "index" {
  description = "A global secondary index over all attributes: a string as its partition key, a number as its sort key."
  type        = object({ name = string, partition = string, sort = string })
  default     = null
}

variable "ttl_attribute" {
  description = "The attribute that says, in epoch seconds, when DynamoDB may delete an item."
  type        = string
  default     = "expires_at"
}

variable "point_in_time_recovery" {
  description = "Continuous backups for 35 days. Emulators do not know the call."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Refuse to delete the table, whoever asks."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "A KMS key of your own to encrypt under; null is the AWS managed key of DynamoDB."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the table."
  type        = map(string)
  default     = {}
}
