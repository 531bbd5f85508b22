# One DynamoDB table as this project wants it: on demand, encrypted, backed up,
# protected against deletion, and without items that have expired.
resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.key.partition
  range_key                   = var.key.sort
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  dynamic "attribute" {
    for_each = merge(
      { for name in compact([var.key.partition, var.key.sort]) : name => "S" },
      var.index == null ? {} : { (var.index.partition) = "S", (var.index.sort) = "N" },
    )
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.index[*]
    content {
      name            = var.index.name
      hash_key        = var.index.partition
      range_key       = var.index.sort
      projection_type = "ALL"
    }
  }

  ttl {
    attribute_name = var.ttl_attribute
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  # `terraform destroy` must not take the record of what was revoked with it:
  # deletion_protection is what one turns off first.
}
