// Command bench measures token verification side by side with its peers, in
// one process and one run, and prints ratios: absolute numbers do not travel
// from one machine to another, ratios mostly do.
//
// It is a module of its own, so that the peers stay out of the product's
// go.mod.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	issuer   = "https://idp.example.com/"
	audience = "https://api.example.com"
	// rounds is how often each is measured; the median counts.
	rounds = 5
)

// peer verifies one and the same RS256 token: signature, issuer, audience and
// times.
type peer struct {
	name   string
	verify func() error
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	runtime.GOMAXPROCS(1)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	token, err := mint(key)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k1","use":"sig","alg":"RS256","n":%q,"e":"AQAB"}]}`, b64(key.N.Bytes()))
	if err := os.WriteFile(filepath.Join(dir, "jwks.json"), []byte(set), 0o600); err != nil {
		return err
	}
	peers, err := allPeers(token, key, dir, set)
	if err != nil {
		return err
	}
	for _, p := range peers {
		if err := p.verify(); err != nil {
			return fmt.Errorf("%s refuses the token: %w", p.name, err)
		}
	}
	return report(measure(peers))
}

// measure takes turns, so that a slow moment of the machine meets everybody.
func measure(peers []peer) ([]peer, []time.Duration) {
	all := make([][]time.Duration, len(peers))
	for range rounds {
		for i, p := range peers {
			r := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					if err := p.verify(); err != nil {
						b.Fatal(err)
					}
				}
			})
			all[i] = append(all[i], time.Duration(r.NsPerOp()))
		}
	}
	medians := make([]time.Duration, len(peers))
	for i, m := range all {
		slices.Sort(m)
		medians[i] = m[len(m)/2]
	}
	return peers, medians
}

func report(peers []peer, medians []time.Duration) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "RS256, one core, median of %d\tper token\tx raw RSA verify\n", rounds)
	for i, p := range peers {
		fmt.Fprintf(w, "%s\t%.2f µs\t%.2f\n", p.name, float64(medians[i].Nanoseconds())/1000, float64(medians[i])/float64(medians[0]))
	}
	return w.Flush()
}

// mint makes a token of the usual size.
func mint(key *rsa.PrivateKey) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": issuer, "aud": audience, "sub": "alice", "client_id": "web", "jti": "0123456789abcdef",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "scope": "items:read items:write",
	})
	if err != nil {
		return "", err
	}
	input := b64([]byte(`{"alg":"RS256","kid":"k1","typ":"at+jwt"}`)) + "." + b64(claims)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	return input + "." + b64(signature), err
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// rawVerify is what every verifier pays at least.
func rawVerify(token string, key *rsa.PrivateKey) func() error {
	dot := strings.LastIndexByte(token, '.')
	signature, _ := base64.RawURLEncoding.DecodeString(token[dot+1:])
	digest := sha256.Sum256([]byte(token[:dot]))
	return func() error { return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature) }
}

var background = context.Background()
