# The bodies of items/openapi.yaml as API Gateway validates them, in JSON Schema
# draft 4. A model never refuses what the service takes: what may be null is
# bounded in length alone, and keywords that API Gateway does not know are left
# to the service.

locals {
  schemas  = local.openapi.components.schemas
  keywords = ["type", "minLength", "maxLength", "maxProperties", "additionalProperties"]

  models = {
    for name in toset(flatten([for r in local.routes : values(r.models)])) : name => {
      for keyword, value in {
        "$schema"            = "http://json-schema.org/draft-04/schema#"
        title                = name
        type                 = "object"
        required             = try(local.schemas[name].required, null) # never empty, in draft 4
        additionalProperties = local.schemas[name].additionalProperties
        properties = {
          for property, schema in local.schemas[name].properties : property => {
            for keyword, bound in try(local.schemas[basename(schema["$ref"])], schema) : keyword => bound
            if contains(local.keywords, keyword) && !(can(schema.type[0]) && keyword != "maxLength")
          }
        }
      } : keyword => value if value != null
    }
  }
}
