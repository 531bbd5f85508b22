package authorizer_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/authorizer"
	"lambda-authorizer/local/gateway"
)

// These measure whole decisions, bytes in, bytes out, the decision line
// included. One is noise on a busy machine: compare ratios.

// rs256 mints tokens with an RSA key of 2048 bits.
type rs256 struct{ key *rsa.PrivateKey }

func newRS256(b *testing.B) rs256 {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	return rs256{key}
}

func (r rs256) set() string {
	return fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"r1","use":"sig","alg":"RS256","n":%q,"e":%q}]}`,
		b64(r.key.N.Bytes()), b64(big.NewInt(int64(r.key.E)).Bytes()))
}

func (r rs256) mint(b *testing.B, special claims) string {
	b.Helper()
	input := b64([]byte(`{"alg":"RS256","kid":"r1","typ":"at+jwt"}`)) + "." + b64(payload(b, special))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, r.key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	return input + "." + b64(signature)
}

// benched is a connected function that writes its lines to nobody.
func benched(b *testing.B, p *place, yaml, keys string) *service {
	b.Helper()
	s := &service{config: load(b, yaml, keys, nil), stages: map[gateway.Kind]*gateway.Stage{}}
	var err error
	s.Authorizer, _, err = authorizer.Connect(s.config, authorizer.Surroundings{
		AWS: p.aws, Now: p.Now, Decisions: io.Discard, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// decide asks about each event in turn; all must be allowed.
func decide(b *testing.B, s *service, events [][]byte) {
	b.Helper()
	ctx := context.Background()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		answer, err := s.Invoke(ctx, events[n%len(events)])
		if err != nil || len(answer) == 0 {
			b.Fatalf("%s, %v", answer, err)
		}
	}
}

func BenchmarkDecision(b *testing.B) {
	p, keys := newPlace(b), newRS256(b)
	token := keys.mint(b, nil)
	open := func(head string) *service { return benched(b, p, head+usual+itemRoutes, keys.set()) }
	b.Run("crypto/rsa verify alone", func(b *testing.B) {
		input, signature, _ := cutLast(token)
		for b.Loop() {
			digest := sha256.Sum256([]byte(input))
			if err := rsa.VerifyPKCS1v15(&keys.key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("REST TOKEN, repeated token", func(b *testing.B) {
		decide(b, open(""), [][]byte{[]byte(tokenEvent(token, "GET /items"))})
	})
	b.Run("REST TOKEN, cold RS256 token", func(b *testing.B) {
		// More than are remembered, so that none is when its turn comes again.
		const remembered = 4096
		events := make([][]byte, remembered*5/4)
		for n := range events {
			events[n] = []byte(tokenEvent(keys.mint(b, claims{"jti": fmt.Sprint("id-", n)}), "GET /items"))
		}
		decide(b, open(""), events)
	})
	for kind, head := range map[gateway.Kind]string{
		gateway.RESTRequest: "gateway: {cache_ttl: 0s, identity_sources: []}\n",
		gateway.HTTP2Simple: "gateway: {cache_ttl: 0s, identity_sources: []}\nresponse: {http_api: simple}\n",
		gateway.HTTP2IAM:    "gateway: {identity_sources: [$request.header.Authorization]}\n",
	} {
		b.Run(string(kind)+", repeated token", func(b *testing.B) {
			s := open(head)
			decide(b, s, [][]byte{s.event(b, kind, request(b, "GET /items/7", bearer(token)))})
		})
	}
}

func cutLast(token string) (input string, signature []byte, err error) {
	dot := strings.LastIndexByte(token, '.')
	signature, err = base64.RawURLEncoding.DecodeString(token[dot+1:])
	return token[:dot], signature, err
}

// crowd is a function with that many networks and API keys, and events of ten
// callers among them.
func crowd(b *testing.B, p *place, name string, networks, keys, secrets int) (*service, [][]byte) {
	b.Helper()
	var yaml strings.Builder
	yaml.WriteString("gateway: {cache_ttl: 0s, identity_sources: []}\ntables: {revocations: none}\napi_keys:\n  secrets:\n")
	texts := make([]string, 0, 10)
	for n := range secrets {
		var document strings.Builder
		document.WriteString(`{"keys":{`)
		for i := n; i < keys; i += secrets {
			id := fmt.Sprint("k", i)
			key, err := apikey.Generate(id)
			if err != nil {
				b.Fatal(err)
			}
			if i%(keys/10) == 0 {
				texts = append(texts, key.Text)
			}
			secret := key.Text[len("ak_"+id+"_"):][:43]
			sum := sha256.Sum256([]byte(secret))
			if i >= secrets {
				document.WriteByte(',')
			}
			fmt.Fprintf(&document, `%q:{"sha256":%q,"principal":"partner-%d","scopes":["items:read"],"context":{"tenant":"t%d"}}`, id, hex.EncodeToString(sum[:]), i, i)
		}
		document.WriteString("}}")
		secret := fmt.Sprint(name, n)
		if err := p.secrets.Create(secret, document.String()); err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(&yaml, "    - %s\n", secret)
	}
	yaml.WriteString("networks:\n  partners:\n")
	for n := range networks {
		fmt.Fprintf(&yaml, "    - 10.%d.%d.%d/32\n", n>>16, n>>8&255, n&255)
	}
	yaml.WriteString("routes: [{route: GET /items, require: [{api_key: {scopes: [\"items:read\"]}, networks: [partners]}]}]\n")
	s := benched(b, p, yaml.String(), keySet(b))
	events := make([][]byte, len(texts))
	for n, text := range texts {
		at := n * networks / len(texts)
		address := fmt.Sprintf("10.%d.%d.%d", at>>16, at>>8&255, at&255)
		events[n] = s.event(b, gateway.RESTRequest, request(b, "GET /items", key(text), from(address)))
	}
	return s, events
}

// BenchmarkCrowd holds a decision among 100,000 networks and 2,000 API keys of
// 8 secrets against one among ten of each. They take turns, so that a busy
// machine slows both.
func BenchmarkCrowd(b *testing.B) {
	p := newPlace(b)
	large, events := crowd(b, p, "large", 100_000, 2_000, 8)
	small, few := crowd(b, p, "small", 10, 10, 1)
	ask := func(s *service, event []byte) time.Duration {
		begun := time.Now()
		answer, err := s.Invoke(context.Background(), event)
		took := time.Since(begun)
		if err != nil || !strings.Contains(string(answer), `"Allow"`) {
			b.Fatalf("%s, %v", answer, err)
		}
		return took
	}
	var ofLarge, ofSmall []time.Duration
	for n := 0; b.Loop(); n++ {
		ofLarge = append(ofLarge, ask(large, events[n%len(events)]))
		ofSmall = append(ofSmall, ask(small, few[n%len(few)]))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2])
	}
	b.ReportMetric(median(ofSmall), "ns/decision-of-10")
	b.ReportMetric(median(ofLarge), "ns/decision-of-100000")
	b.ReportMetric(median(ofLarge)/median(ofSmall), "ratio")
}
