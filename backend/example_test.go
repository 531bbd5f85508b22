package backend_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"lambda-authorizer/backend"
)

// A service of its own behind the authorizer. Its main hands the result to
// lambda.Start.
func Example() {
	mux := http.NewServeMux()
	mux.Handle("GET /orders", backend.RequireScope("orders:read", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := backend.From(r.Context())
		fmt.Fprintf(w, "the orders of %s", caller.Principal)
	})))
	service := backend.NewLambda(backend.Protect(mux, backend.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}))

	answer, err := service.Invoke(context.Background(), []byte(`{
		"version": "2.0", "routeKey": "GET /orders", "rawPath": "/prod/orders",
		"requestContext": {
			"stage": "prod", "http": {"method": "GET", "path": "/prod/orders"},
			"authorizer": {"lambda": {"principal": "main|u1", "auth_method": "jwt", "scope": "orders:read"}}
		}
	}`))
	fmt.Println(string(answer), err)
	// Output:
	// {"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"},"multiValueHeaders":null,"body":"the orders of main|u1","cookies":[]} <nil>
}
