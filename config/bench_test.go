package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkLoad is part of every cold start.
func BenchmarkLoad(b *testing.B) {
	small, err := os.ReadFile("../deploy/authorizer.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var large strings.Builder
	large.WriteString("gateway: {cache_ttl: 0s}\n" + base[0].text + base[1].text + "routes:\n")
	for i := range 300 {
		fmt.Fprintf(&large, "  - route: GET /r%d/{id}\n    require:\n      - jwt: {scopes: [\"r%d:read\"]}\n", i, i)
	}
	for name, data := range map[string][]byte{"shipped": small, "300 routes": []byte(large.String())} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := read(data, "authorizer.yaml", everything); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
