# Which identity sources and TTL go with which credentials: what is refused, and
# the reason that is given. A Go test compares many more combinations with what
# the function itself says.

run "a_token_in_its_header" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "../authorizer.yaml"
    kind          = "REST_TOKEN"
    environment   = { ISSUER = "i", AUDIENCE = "a", REVOCATIONS_TABLE = "r" }
  }
  assert {
    condition     = output.problems == [] && output.cache_ttl == 300 && output.credentials == tolist(["jwt"])
    error_message = "the shipped configuration must do: ${join("; ", output.problems)}"
  }
}

run "an_api_key_in_a_header_that_is_no_source" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/api-key-beside-a-token.yaml"
    kind          = "REST_REQUEST"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "a credential may stand in header:x-api-key, which is no identity source")
    error_message = join("; ", output.problems)
  }
}

run "two_sources_of_which_one_is_needed" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/two-sources-one-needed.yaml"
    kind          = "REST_REQUEST"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "GET /orders needs only one of header:authorization, header:x-api-key")
    error_message = join("; ", output.problems)
  }
}

run "two_sources_that_are_both_needed" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/both-credentials-required.yaml"
    kind          = "HTTP"
  }
  assert {
    condition     = length(output.problems) == 0 && output.identity_sources == ["$request.header.Authorization", "$request.header.X-Api-Key"]
    error_message = join("; ", output.problems)
  }
}

run "a_signature_is_never_kept" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/signature.yaml"
    kind          = "REST_REQUEST"
    provided      = ["NONCES_TABLE"]
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "a request signature is good for one request") && output.needs.nonces
    error_message = join("; ", output.problems)
  }
}

run "a_network_needs_the_address_among_the_sources" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/network-without-address.yaml"
    kind          = "REST_REQUEST"
  }
  assert {
    condition     = length(output.problems) == 1 && strcontains(output.problems[0], "context.identity.sourceIp is no identity source")
    error_message = join("; ", output.problems)
  }
}

run "a_network_with_the_address_among_the_sources" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/network-with-address.yaml"
    kind          = "HTTP"
  }
  assert {
    condition     = length(output.problems) == 0 && output.identity_sources[1] == "$context.identity.sourceIp"
    error_message = join("; ", output.problems)
  }
}

run "a_trusted_proxy_needs_its_header_among_the_sources" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/trusted-proxy.yaml"
    kind          = "REST_REQUEST"
  }
  assert {
    condition     = length(output.problems) == 1 && strcontains(output.problems[0], "the header X-Forwarded-For is no identity source")
    error_message = join("; ", output.problems)
  }
}

run "a_kept_simple_answer_needs_the_route_among_the_sources" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/simple-without-route.yaml"
    kind          = "HTTP"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "a cached simple answer for one route decides every other")
    error_message = join("; ", output.problems)
  }
}

run "a_refusal_is_never_kept" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/refusal-kept.yaml"
    kind          = "REST_TOKEN"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "response.unauthenticated: deny would be cached")
    error_message = join("; ", output.problems)
  }
}

run "a_cache_without_a_key" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/no-source.yaml"
    kind          = "HTTP"
  }
  assert {
    condition     = startswith(output.problems[0], "gateway.identity_sources is empty")
    error_message = join("; ", output.problems)
  }
}

run "a_token_in_the_query_that_is_no_source" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/token-in-the-query.yaml"
    kind          = "REST_REQUEST"
  }
  assert {
    condition     = length(output.problems) == 1 && strcontains(output.problems[0], "querystring:access_token")
    error_message = join("; ", output.problems)
  }
}

run "sources_spelled_for_another_api" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/spelled-for-http.yaml"
    kind          = "REST_REQUEST"
  }
  assert {
    condition     = output.problems == ["gateway.identity_sources are spelled for another kind of API: $request.header.Authorization"]
    error_message = join("; ", output.problems)
  }
}

run "a_ttl_over_an_hour" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/over-an-hour.yaml"
    kind          = "REST_TOKEN"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "gateway.cache_ttl is 61m")
    error_message = join("; ", output.problems)
  }
}

run "a_ttl_in_parts_of_a_second" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/not-whole-seconds.yaml"
    kind          = "REST_TOKEN"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "gateway.cache_ttl is 1500ms")
    error_message = join("; ", output.problems)
  }
}

run "an_address_that_a_token_event_does_not_carry" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/network-uncached.yaml"
    kind          = "REST_TOKEN"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "GET /orders asks for the source address, which a TOKEN event does not carry")
    error_message = join("; ", output.problems)
  }
}

run "a_token_authorizer_with_two_sources" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/both-credentials-required.yaml"
    kind          = "REST_TOKEN"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "a TOKEN authorizer has exactly one identity source")
    error_message = join("; ", output.problems)
  }
}

run "a_variable_that_nobody_sets" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/unset-variable.yaml"
    kind          = "REST_TOKEN"
  }
  assert {
    condition     = length(output.problems) == 1 && startswith(output.problems[0], "environment lacks ISSUER")
    error_message = join("; ", output.problems)
  }
}

run "simple_responses_for_a_rest_api" {
  module {
    source = "./modules/settings"
  }
  variables {
    configuration = "tests/configurations/both-credentials-required.yaml"
    kind          = "REST_REQUEST"
    simple        = true
  }
  assert {
    condition     = contains(output.problems, "simple responses are for HTTP APIs alone")
    error_message = join("; ", output.problems)
  }
}
