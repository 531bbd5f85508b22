package policy_test

import (
	"fmt"
	"strings"

	"lambda-authorizer/policy"
)

// A table decides a request: which route, and whether this caller may.
func Example() {
	table, problems := policy.Compile([]policy.Route{
		{Route: "GET /items/{id}", Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: []string{"items:read"}}}}},
		{Route: "GET /items/admin", Require: []policy.Entry{{JWT: &policy.JWTGrant{AnyScope: []string{"admin", "root"}}}}},
	})
	if problems != nil {
		fmt.Println(problems)
		return
	}
	reader := policy.Caller{JWT: &policy.JWT{Scopes: []string{"items:read"}}}
	for _, arn := range []string{
		"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items/7",
		"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items/admin",
		"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items/%61dmin",
	} {
		a, err := policy.ParseARN(arn)
		if err != nil {
			fmt.Println(err)
			return
		}
		id, ok := table.Match(policy.Encoded, a.Method, a.Path)
		if !ok {
			fmt.Println(a.Path, "matches no route")
			continue
		}
		fmt.Println(a.Path, "is", table.Template(id), "and says", table.Decide(id, reader))
	}
	// Output:
	// items/7 is GET /items/{id} and says <nil>
	// items/admin is GET /items/admin and says scope_insufficient: the token needs one of admin, root
	// items/%61dmin matches no route
}

// A cached document is about every route, not about the request: API Gateway
// applies it to the caller's next one.
func ExampleTable_Cached() {
	table, _ := policy.Compile([]policy.Route{
		{Route: "GET /items", Require: []policy.Entry{{JWT: &policy.JWTGrant{}}}},
		{Route: "GET /items/{id}", Require: []policy.Entry{{JWT: &policy.JWTGrant{}}}},
		{Route: "GET /items/admin", Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: []string{"admin"}}}}},
	})
	a, _ := policy.ParseARN("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/$default/GET/items")
	d, err := table.Cached(policy.Decoded, a, table.Granted(policy.Caller{JWT: &policy.JWT{}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"items", "items/7", "items/admin", "items/7/secret"} {
		a.Path = path
		fmt.Println(path, d.Allows(a))
	}
	fmt.Println(strings.Contains(string(d.JSON), "GET/items/admin"))
	// Output:
	// items true
	// items/7 true
	// items/admin false
	// items/7/secret false
	// true
}
