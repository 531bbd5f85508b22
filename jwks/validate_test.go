package jwks

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func withDefaults(i Issuer) Issuer {
	i.SetDefaults()
	return i
}

func TestDefaultsFillWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	got := withDefaults(Issuer{Issuer: "https://a", Name: "a", Audiences: []string{"x"}})
	want := Issuer{
		Issuer: "https://a", Name: "a", Audiences: []string{"x"},
		Algorithms: []string{"RS256", "PS256", "ES256", "EdDSA"}, TokenTypes: []string{"", "JWT", "at+jwt"},
		Leeway: new(30 * time.Second), PrincipalClaim: "sub", ScopeClaims: []string{"scope", "scp"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := withDefaults(Issuer{HMACSecret: "x"}).Algorithms; !slices.Equal(got, []string{"HS256"}) {
		t.Errorf("with hmac_secret: %q", got)
	}
}

func TestDefaultsLeaveWhatIsThere(t *testing.T) {
	t.Parallel()
	given := Issuer{Algorithms: []string{}, TokenTypes: []string{}, ScopeClaims: []string{}, Leeway: new(time.Duration(0)), PrincipalClaim: "oid"}
	if diff := cmp.Diff(given, withDefaults(given)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMistakesOfOneIssuerAreNamed(t *testing.T) {
	t.Parallel()
	const missing = "\x00" // stands for a path that must not be reported
	for name, tt := range map[string]struct {
		change     func(*Issuer)
		path, text string
	}{
		"nothing wrong":         {func(i *Issuer) {}, missing, ""},
		"discovery":             {func(i *Issuer) { i.JWKSURI = "" }, missing, ""},
		"discovery on loopback": {func(i *Issuer) { i.JWKSURI, i.Issuer = "", "http://127.0.0.1:9/oidc" }, missing, ""},
		"any iss with jwks_uri": {func(i *Issuer) { i.Issuer = "legacy" }, missing, ""},
		"clients alone":         {func(i *Issuer) { i.Audiences, i.ClientIDs = nil, []string{"web"} }, missing, ""},
		"typ may be left out":   {func(i *Issuer) { i.TokenTypes = []string{"", "at+jwt"} }, missing, ""},
		"leeway of nothing":     {func(i *Issuer) { i.Leeway = new(time.Duration(0)) }, missing, ""},
		"shared secret":         {func(i *Issuer) { i.JWKSURI, i.HMACSecret, i.Algorithms = "", "s", []string{"HS256"} }, missing, ""},
		"every algorithm": {func(i *Issuer) {
			i.Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
		}, missing, ""},
		"issuer missing":              {func(i *Issuer) { i.Issuer = "" }, "issuer", "missing"},
		"issuer with #":               {func(i *Issuer) { i.Issuer = "https://a/#b" }, "issuer", "#"},
		"issuer with a blank":         {func(i *Issuer) { i.Issuer = "https://a/ " }, "issuer", "blank"},
		"discovery in plain":          {func(i *Issuer) { i.JWKSURI, i.Issuer = "", "http://idp.example.com" }, "issuer", "https"},
		"discovery without a URL":     {func(i *Issuer) { i.JWKSURI, i.Issuer = "", "accounts.google.com" }, "issuer", "jwks_uri"},
		"discovery with a query":      {func(i *Issuer) { i.JWKSURI, i.Issuer = "", "https://a.example/?x" }, "issuer", "query"},
		"alias empty":                 {func(i *Issuer) { i.Aliases = []string{"x", ""} }, "aliases[1]", "empty"},
		"name missing":                {func(i *Issuer) { i.Name = "" }, "name", "missing"},
		"name in upper case":          {func(i *Issuer) { i.Name = "Main" }, "name", "a-z"},
		"name with _":                 {func(i *Issuer) { i.Name = "api_key" }, "name", "a-z"},
		"name of 33":                  {func(i *Issuer) { i.Name = strings.Repeat("a", 33) }, "name", "32"},
		"jwks_uri in plain":           {func(i *Issuer) { i.JWKSURI = "http://idp.example.com/jwks" }, "jwks_uri", "https"},
		"jwks_uri relative":           {func(i *Issuer) { i.JWKSURI = "/jwks" }, "jwks_uri", "absolute"},
		"jwks_uri with a password":    {func(i *Issuer) { i.JWKSURI = "https://u:hush@a.example/jwks" }, "jwks_uri", "credentials"},
		"two places":                  {func(i *Issuer) { i.JWKSFile = "jwks.json" }, "jwks_file", "beside jwks_uri"},
		"three places":                {func(i *Issuer) { i.JWKSFile, i.HMACSecret, i.Algorithms = "jwks.json", "s", []string{"HS256"} }, "jwks_file", "beside jwks_uri"},
		"file and secret":             {func(i *Issuer) { i.JWKSURI, i.JWKSFile, i.HMACSecret, i.Algorithms = "", "f", "s", []string{"HS256"} }, "hmac_secret", "beside jwks_file"},
		"no algorithm":                {func(i *Issuer) { i.Algorithms = []string{} }, "algorithms", "empty"},
		"none":                        {func(i *Issuer) { i.Algorithms = []string{"RS256", "none"} }, "algorithms[1]", "never"},
		"None":                        {func(i *Issuer) { i.Algorithms = []string{"None"} }, "algorithms[0]", "never"},
		"algorithm unknown":           {func(i *Issuer) { i.Algorithms = []string{"ES256K"} }, "algorithms[0]", `"ES256K" is not one of`},
		"algorithm in lower case":     {func(i *Issuer) { i.Algorithms = []string{"rs256"} }, "algorithms[0]", "is not one of"},
		"algorithm twice":             {func(i *Issuer) { i.Algorithms = []string{"RS256", "RS256"} }, "algorithms[1]", "twice"},
		"HS256 with public keys":      {func(i *Issuer) { i.Algorithms = []string{"RS256", "HS256"} }, "algorithms[1]", "hmac_secret"},
		"HS512":                       {func(i *Issuer) { i.Algorithms = []string{"HS512"} }, "algorithms[0]", "not supported"},
		"RS256 with a secret":         {func(i *Issuer) { i.JWKSURI, i.HMACSecret, i.Algorithms = "", "s", []string{"HS256", "RS256"} }, "algorithms[1]", "nothing else"},
		"no audience":                 {func(i *Issuer) { i.Audiences = nil }, "audiences", "missing"},
		"audiences empty":             {func(i *Issuer) { i.Audiences = []string{} }, "audiences", "empty list"},
		"audiences empty, but client": {func(i *Issuer) { i.Audiences, i.ClientIDs = []string{}, []string{"web"} }, "audiences", "empty list"},
		"audience empty":              {func(i *Issuer) { i.Audiences = []string{""} }, "audiences[0]", "empty"},
		"clients empty":               {func(i *Issuer) { i.ClientIDs = []string{} }, "client_ids", "empty list"},
		"client twice":                {func(i *Issuer) { i.ClientIDs = []string{"a", "a"} }, "client_ids[1]", "twice"},
		"token types empty":           {func(i *Issuer) { i.TokenTypes = []string{} }, "token_types", "empty list"},
		"scope claims empty":          {func(i *Issuer) { i.ScopeClaims = []string{} }, "scope_claims", "empty list"},
		"scope claim empty":           {func(i *Issuer) { i.ScopeClaims = []string{"scp", ""} }, "scope_claims[1]", "empty"},
		"principal claim of blanks":   {func(i *Issuer) { i.PrincipalClaim = " " }, "principal_claim", "blank"},
		"leeway negative":             {func(i *Issuer) { i.Leeway = new(-time.Second) }, "leeway", "0s to 5m"},
		"leeway too long":             {func(i *Issuer) { i.Leeway = new(5*time.Minute + 1) }, "leeway", "0s to 5m"},
		"age negative":                {func(i *Issuer) { i.MaxTokenAge = -1 }, "max_token_age", "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := withDefaults(mainIssuer(tt.change)).Validate()
			if tt.path == missing {
				if len(got) != 0 {
					t.Errorf("complaints: %v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Path != tt.path || !strings.Contains(got[0].Text, tt.text) {
				t.Errorf("got %v, want one at %s with %q", got, tt.path, tt.text)
			}
			if strings.Contains(got[0].Text, "hush") {
				t.Errorf("it tells a password: %s", got[0].Text)
			}
		})
	}
}

func TestMistakesBetweenIssuersAreNamed(t *testing.T) {
	t.Parallel()
	named := func(name, iss string, aliases ...string) Issuer {
		return withDefaults(mainIssuer(func(i *Issuer) { i.Name, i.Issuer, i.Aliases = name, iss, aliases }))
	}
	for name, tt := range map[string]struct {
		issuers []Issuer
		want    []string
	}{
		"none at all":       {nil, nil},
		"all different":     {[]Issuer{named("a", "https://a", "a"), named("b", "https://b", "b")}, nil},
		"one name":          {[]Issuer{named("a", "https://a"), named("a", "https://b")}, []string{"[1].name"}},
		"one issuer":        {[]Issuer{named("a", "https://a"), named("b", "https://a")}, []string{"[1].issuer"}},
		"issuer an alias":   {[]Issuer{named("a", "https://a", "https://b"), named("b", "https://b")}, []string{"[1].issuer"}},
		"alias an issuer":   {[]Issuer{named("a", "https://a"), named("b", "https://b", "x", "https://a")}, []string{"[1].aliases[1]"}},
		"alias of its own":  {[]Issuer{named("a", "https://a", "https://a")}, []string{"[0].aliases[0]"}},
		"alias twice":       {[]Issuer{named("a", "https://a", "x"), named("b", "https://b", "x")}, []string{"[1].aliases[0]"}},
		"each for itself":   {[]Issuer{named("a", "https://a"), named("B", "")}, []string{"[1].issuer", "[1].name"}},
		"missing is no two": {[]Issuer{named("", ""), named("", "")}, []string{"[0].issuer", "[0].name", "[1].issuer", "[1].name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range ValidateIssuers(tt.issuers) {
				got = append(got, p.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestKeyFilesAreLookedAt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	s := signerFor("ES256", "k")
	good := write("good.json", keySetOf(s.jwk()))
	file := func(name string) Issuer {
		return mainIssuer(func(i *Issuer) { i.JWKSURI, i.JWKSFile = "", name })
	}
	issuers := []Issuer{file(good), mainIssuer(), file("absent.json"), file(write("private.json", keySetOf(s.jwk(`"d":"AA"`)))), file(write("bad.json", "{}")), file(filepath.Join(dir, good))}
	got := ValidateFiles(issuers, dir)
	if len(got) != 3 || got[0].Path != "[2].jwks_file" || got[1].Path != "[3].jwks_file" || got[2].Path != "[4].jwks_file" {
		t.Fatalf("got %v", got)
	}
	for n, text := range []string{"no such file", "private key", "not a JWK set"} {
		if !strings.Contains(got[n].Text, text) {
			t.Errorf("%q does not say %q", got[n].Text, text)
		}
	}

	var told []RefreshEvent
	v, err := New([]Issuer{file(good)}, Options{Dir: dir, Now: new(clock).now, OnRefresh: func(e RefreshEvent) { told = append(told, e) }})
	if err != nil {
		t.Fatal(err)
	}
	verifyOK(t, v, s.token(with(nil)))
	if diff := cmp.Diff([]RefreshEvent{{Issuer: "main", Cause: "file", Started: noon, Keys: 1}}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if _, err := New([]Issuer{file("absent.json")}, Options{Dir: dir}); err == nil || !strings.HasPrefix(err.Error(), "issuers[0].jwks_file: ") {
		t.Errorf("New: %v", err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	secret := mainIssuer(func(i *Issuer) { i.JWKSURI, i.HMACSecret = "", "prod/legacy-jwt" })
	if _, err := New([]Issuer{mainIssuer(func(i *Issuer) { i.Name = "other"; i.Issuer = "x" }), secret}, Options{}); err == nil || err.Error() != "issuers[1].hmac_secret: nothing here reads secrets" {
		t.Errorf("hmac_secret: %v", err)
	}
	if _, err := New([]Issuer{mainIssuer(func(i *Issuer) { i.Name, i.Audiences = "", nil })}, Options{}); err == nil || !strings.Contains(err.Error(), "issuers[0].name: ") || !strings.Contains(err.Error(), "issuers[0].audiences: ") {
		t.Errorf("two mistakes: %v", err)
	}
	v, err := New(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v.Prefetch(t.Context())
	wantCheck(t, v, newEd25519("k").token(with(nil)), "issuer_unknown")
}
