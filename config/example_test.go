package config_test

import (
	"errors"
	"fmt"

	"lambda-authorizer/config"
)

// Everything that is wrong is said at once, each on one line.
func ExampleLoad() {
	getenv := func(string) (string, bool) { return "", false } // os.LookupEnv, in main
	_, err := config.Load("testdata/example/authorizer.yaml", getenv)
	fmt.Println(err)

	problems, _ := errors.AsType[config.Problems](err)
	fmt.Println(len(problems), "problems, the first on line", problems[0].Line)
	// Output:
	// testdata/example/authorizer.yaml:3: gateway.identity_source: unknown key; did you mean identity_sources?
	// testdata/example/authorizer.yaml:6: tables.revocations: environment variable REVOCATIONS_TABLE is not set
	// testdata/example/authorizer.yaml:14: response.claims[1]: would be the context key client_id, which is reserved
	// testdata/example/authorizer.yaml:19: routes[0].require[0].jwt.issuer: names the issuer "mian", which the section issuers does not have; did you mean main?
	// 4 problems, the first on line 3
}

// A variable is replaced inside a string, after the YAML has been read.
func ExampleLoad_environment() {
	env := map[string]string{"ISSUER": "https://idp.example.com/", "AUDIENCE": "https://api.example.com", "REVOCATIONS_TABLE": "revocations"}
	cfg, err := config.Load("../deploy/authorizer.yaml", func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.Issuers[0].Issuer, cfg.Gateway.CacheTTL)
	fmt.Println("GET /items/{id} stands on line", cfg.Line("routes[2]"))
	// Output:
	// https://idp.example.com/ 5m0s
	// GET /items/{id} stands on line 29
}
