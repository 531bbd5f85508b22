package oidctest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

// notJSON are events that are meant to be broken before anything reads them.
var notJSON = map[string]bool{
	"malformed-empty.json":                true,
	"malformed-cut-short.json":            true,
	"malformed-text-after-the-event.json": true,
	"malformed-deeply-nested.json":        true, // deeper than encoding/json reads
}

func TestEveryPlaceholderInAnEventIsARecordedToken(t *testing.T) {
	t.Parallel()
	tokens := readRecording(t).Tokens
	used := map[string]bool{}
	for _, file := range glob(t, "events/*.json") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range placeholder.FindAllString(string(text), -1) {
			name := strings.TrimSuffix(strings.TrimPrefix(found, "{{token:"), "}}")
			if _, ok := tokens[name]; !ok {
				t.Errorf("%s: %s is no recorded token", file, found)
			}
			used[name] = true
		}
	}
	for name := range tokens {
		if !used[name] {
			t.Errorf("no event uses the token %s", name)
		}
	}
}

func TestEventsAreOfTheKindTheirNamesSay(t *testing.T) {
	t.Parallel()
	for _, file := range glob(t, "events/*.json") {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if json.Valid(text) == notJSON[name] {
			t.Errorf("%s: valid JSON is %v", name, json.Valid(text))
		}
		if strings.HasPrefix(name, "malformed-") {
			continue
		}
		if want, got := kindOfName(name), kindOfEvent(text); want != got {
			t.Errorf("%s: is a %s event", name, got)
		}
	}
}

func TestEventsCarryTheCertificateThatTheTokenIsBoundTo(t *testing.T) {
	t.Parallel()
	var rest struct {
		RequestContext struct {
			Identity struct {
				ClientCert struct{ ClientCertPem string }
			}
		}
	}
	readJSON(t, filepath.Join(testdata, "events", "rest-request-certificate-bound-with-its-certificate.json"), &rest)
	block, _ := pem.Decode([]byte(rest.RequestContext.Identity.ClientCert.ClientCertPem))
	if block == nil {
		t.Fatal("the event's clientCertPem is not PEM")
	}
	sum := sha256.Sum256(block.Bytes) // x5t#S256, RFC 8705 section 3.1
	if got, want := base64.RawURLEncoding.EncodeToString(sum[:]), readRecording(t).Certificate; got != want {
		t.Errorf("thumbprint = %s, want that of the recording, %s", got, want)
	}
}

func kindOfName(name string) string {
	name = strings.TrimPrefix(name, "documented-")
	for _, kind := range []string{"rest-token", "rest-request", "http1", "http2", "websocket"} {
		if strings.HasPrefix(name, kind) {
			return kind
		}
	}
	return "unsupported"
}

// kindOfEvent tells the five shapes apart by what the documentation says of
// each, knowing nothing of how the authorizer does it.
func kindOfEvent(text []byte) string {
	var e struct {
		Type, Version, MethodArn, RouteArn any
		RequestContext                     map[string]any
	}
	if strings.HasPrefix(string(text), "[") || json.Unmarshal(text, &e) != nil {
		return "unsupported"
	}
	method, _ := e.MethodArn.(string)
	_, methodArn := e.MethodArn.(string)
	_, routeArn := e.RouteArn.(string)
	switch {
	case e.Type == "TOKEN":
		return "rest-token"
	case e.Type == "REQUEST" && e.Version == "2.0" && routeArn:
		return "http2"
	case e.Type == "REQUEST" && e.Version == "1.0" && methodArn:
		return "http1"
	case e.Type == "REQUEST" && e.Version == nil && strings.HasSuffix(method, "/$connect"):
		return "websocket"
	case e.Type == "REQUEST" && e.Version == nil && methodArn:
		return "rest-request"
	}
	return "unsupported"
}
