package config

import (
	"os"
	"strings"
	"testing"
)

// canary stands for a secret that somebody pasted where its name belongs.
const canary = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"

// FuzzLoad feeds arbitrary bytes. Whatever they are: no panic, one line for
// each problem, no problem without a line, and no secret in any of them.
func FuzzLoad(f *testing.F) {
	for _, path := range []string{"testdata/catalogue.yaml", "../deploy/authorizer.yaml", "../deploy/authorizer-uncached.yaml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add([]byte(strings.ReplaceAll(string(data), "prod/", canary)))
	}
	for _, name := range []string{"broken-file", "broken-keys", "broken-sections", "broken-routes", "broken-cache"} {
		data, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		for _, piece := range strings.Split(string(data), "-- ") {
			f.Add([]byte(piece))
		}
	}
	f.Add([]byte("issuers:\n  - hmac_secret: '" + canary + "!'\n"))
	f.Add([]byte("api_keys: {secrets: [" + canary + ": x]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := read(data, "authorizer.yaml", everything)
		if err == nil {
			if c == nil || c.Table() == nil {
				t.Fatal("accepted without a route table")
			}
			return
		}
		problems, ok := err.(Problems)
		if !ok || len(problems) == 0 || c != nil {
			t.Fatalf("%T with %d problems", err, len(problems))
		}
		for _, p := range problems {
			if (p.Line < 1 && !strings.HasSuffix(p.Text, "more problems")) || p.Text == "" || strings.ContainsAny(p.String(), "\n\r\x00") {
				t.Errorf("%+v", p)
			}
		}
		if strings.Contains(err.Error(), canary) {
			t.Error("the secret is repeated")
		}
	})
}
