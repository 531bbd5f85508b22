# Revocations and used nonces. Apart, so that signing traffic can never throttle
# revocation, and so that a function needs no write access to what revokes.

locals {
  asked       = { for kind, s in module.settings : kind => s.variables }
  revocations = anytrue([for s in module.settings : s.needs.revocations])
  nonces      = anytrue([for s in module.settings : s.needs.nonces || contains(s.variables, "NONCES_TABLE")])

  make_revocations = local.revocations && var.revocations_table == null
  make_nonces      = local.nonces && var.nonces_table == null

  # A configuration that names a table in words asks for one that exists.
  unknown_tables = compact([
    local.make_revocations && anytrue([for s in module.settings : s.needs.revocations && !contains(s.variables, "REVOCATIONS_TABLE")]) ? "revocations_table" : "",
    local.make_nonces && anytrue([for s in module.settings : s.needs.nonces && !contains(s.variables, "NONCES_TABLE")]) ? "nonces_table" : "",
  ])

  revocations_table = local.make_revocations ? { name = module.revocations[0].name, arn = module.revocations[0].arn } : var.revocations_table
  nonces_table      = local.make_nonces ? { name = module.nonces[0].name, arn = module.nonces[0].arn } : var.nonces_table
}

module "revocations" {
  source = "./modules/table"
  count  = local.make_revocations ? 1 : 0

  name                   = "${var.name}-revocations"
  key                    = { partition = "pk" }
  index                  = { name = "kind-index", partition = "kind", sort = "revoked_at" }
  point_in_time_recovery = var.tables.point_in_time_recovery
  deletion_protection    = var.tables.deletion_protection
  kms_key_arn            = var.tables.kms_key_arn
  tags                   = var.tags
}

module "nonces" {
  source = "./modules/table"
  count  = local.make_nonces ? 1 : 0

  name                   = "${var.name}-nonces"
  key                    = { partition = "pk" }
  point_in_time_recovery = var.tables.point_in_time_recovery
  deletion_protection    = var.tables.deletion_protection
  kms_key_arn            = var.tables.kms_key_arn
  tags                   = var.tags
}
