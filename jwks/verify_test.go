package jwks

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
)

func TestTokenOfEachAlgorithmIsVerified(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			s := signerFor(alg, "k1")
			v := staticVerifier(t, new(clock), keySetOf(s.jwk()), func(i *Issuer) { i.Algorithms = []string{alg} })
			raw := s.token(with(nil))
			if got := verifyOK(t, v, raw).Subject; got != "alice" {
				t.Errorf("subject %q", got)
			}
			dot := strings.LastIndexByte(raw, '.') + 1
			signature := must(base64url.DecodeString(raw[dot:]))
			for _, bit := range []int{0, len(signature)*4 + 1, len(signature)*8 - 1} {
				signature[bit/8] ^= 1 << (bit % 8)
				_, err := v.Verify(context.Background(), raw[:dot]+b64(string(signature)), "")
				wantReason(t, err, reason.SignatureInvalid)
				signature[bit/8] ^= 1 << (bit % 8)
			}
			for _, wrong := range []string{"", "AA", b64(string(signature[1:])), b64(string(signature) + "\x00")} {
				_, err := v.Verify(context.Background(), raw[:dot]+wrong, "")
				wantReason(t, err, reason.SignatureInvalid)
			}
		})
	}
}

func TestVerifiedTokenTellsWhatItsClaimsSay(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k1")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	raw := s.token(with(map[string]any{
		"jti": "t-1", "sid": "s-1", "client_id": "web", "azp": "web", "nbf": noon.Unix() - 5,
		"scope": "items:read items:write", "tenant": map[string]any{"id": 7},
	}))
	got := verifyOK(t, v, raw)
	claims := got.Claims
	got2 := *got
	got2.Claims = nil
	want := Token{
		Issuer: "main", IssuerURL: testIssuer, Principal: "alice", Subject: "alice",
		ClientID: "web", ID: "t-1", SessionID: "s-1", KeyID: "k1",
		SigningInputSHA256: hexSHA256([]byte(raw[:strings.LastIndexByte(raw, '.')])),
		IssuedAt:           noon.Add(-time.Minute), HasIssuedAt: true,
		NotBefore: noon.Add(-5 * time.Second), Expires: noon.Add(time.Hour),
		Scopes: []string{"items:read", "items:write"}, Leeway: 30 * time.Second,
	}
	if diff := cmp.Diff(want, got2); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"id": 7.0}, claims["tenant"]); diff != "" {
		t.Errorf("claim tenant (-want +got):\n%s", diff)
	}
}

func TestRefusalsNameTheirReason(t *testing.T) {
	t.Parallel()
	s, other := signerFor("ES256", "k1"), signerFor("RS256", "k1")
	set := keySetOf(s.jwk())
	ok := s.token(with(nil))
	head, rest, _ := strings.Cut(ok, ".")
	body, tail, _ := strings.Cut(rest, ".")
	type change = func(*Issuer)
	for name, tt := range map[string]struct {
		raw    string
		change change
		want   reason.Code
	}{
		"nothing at all":              {raw: "", want: reason.CredentialMalformed},
		"not a token":                 {raw: "secret", want: reason.CredentialMalformed},
		"two parts":                   {raw: head + "." + body, want: reason.CredentialMalformed},
		"four parts":                  {raw: ok + ".AA", want: reason.CredentialMalformed},
		"five parts, encrypted":       {raw: "e30.AA.AA.AA.AA", want: reason.CredentialMalformed},
		"JSON serialization":          {raw: `{"payload":"` + body + `","signatures":[{"protected":"` + head + `","signature":"` + tail + `"}]}`, want: reason.CredentialMalformed},
		"over 16 KB":                  {raw: s.token(with(map[string]any{"x": strings.Repeat("a", 13<<10)})), want: reason.CredentialMalformed},
		"padded":                      {raw: head + "." + body + "=." + tail, want: reason.CredentialMalformed},
		"line end inside":             {raw: head + "\n." + body + "." + tail, want: reason.CredentialMalformed},
		"carriage return inside":      {raw: head + "." + body + "." + tail[:4] + "\r" + tail[4:], want: reason.CredentialMalformed},
		"blank around":                {raw: " " + ok, want: reason.CredentialMalformed},
		"standard base64":             {raw: head + "." + base64.RawStdEncoding.EncodeToString([]byte(`{"a":"???>>>"}`)) + "." + tail, want: reason.CredentialMalformed},
		"stray bits in the signature": {raw: stray(ok), want: reason.CredentialMalformed},
		"stray bits in the payload":   {raw: s.signText(b64(s.header()) + "." + stray(b64(with(nil)+strings.Repeat(" ", 5-len(with(nil))%3)))), want: reason.CredentialMalformed},
		"stray bits in the header":    {raw: s.signText(stray(b64(s.header())) + "." + body), want: reason.CredentialMalformed},
		"empty header":                {raw: "." + body + "." + tail, want: reason.CredentialMalformed},
		"empty payload":               {raw: head + ".." + tail, want: reason.CredentialMalformed},
		"header not JSON":             {raw: s.sign("alg", with(nil)), want: reason.CredentialMalformed},
		"header twice alg":            {raw: s.sign(`{"alg":"ES256","kid":"k1","alg":"ES256"}`, with(nil)), want: reason.CredentialMalformed},
		"alg missing":                 {raw: s.sign(`{"kid":"k1"}`, with(nil)), want: reason.CredentialMalformed},
		"alg a number":                {raw: s.sign(`{"alg":1,"kid":"k1"}`, with(nil)), want: reason.CredentialMalformed},
		"kid empty":                   {raw: s.sign(`{"alg":"ES256","kid":""}`, with(nil)), want: reason.CredentialMalformed},
		"kid a number":                {raw: s.sign(`{"alg":"ES256","kid":1}`, with(nil)), want: reason.CredentialMalformed},
		"crit unknown":                {raw: s.sign(s.header(`"crit":["exp"]`, `"exp":1`), with(nil)), want: reason.CredentialMalformed},
		"crit empty":                  {raw: s.sign(s.header(`"crit":[]`), with(nil)), want: reason.CredentialMalformed},
		"unencoded payload":           {raw: s.sign(s.header(`"b64":false`, `"crit":["b64"]`), with(nil)), want: reason.CredentialMalformed},
		"b64 false without crit":      {raw: s.sign(s.header(`"b64":false`), with(nil)), want: reason.CredentialMalformed},
		"nested":                      {raw: s.sign(s.header(`"cty":"JWT"`), with(nil)), want: reason.CredentialMalformed},
		"nested, long form":           {raw: s.sign(s.header(`"cty":"application/jwt"`), with(nil)), want: reason.CredentialMalformed},
		"header of an encrypted one":  {raw: s.sign(s.header(`"enc":"A256GCM"`), with(nil)), want: reason.CredentialMalformed},
		"claims twice exp":            {raw: s.token(`{"exp":1,"exp":9999999999}`), want: reason.CredentialMalformed},
		"claims twice, deep":          {raw: s.token(`{"a":[{"b":1,"\u0062":2}]}`), want: reason.CredentialMalformed},
		"claims an array":             {raw: s.token(`[]`), want: reason.CredentialMalformed},
		"claims then more":            {raw: s.token(with(nil) + `{}`), want: reason.CredentialMalformed},
		"lone surrogate":              {raw: s.token(`{"sub":"\ud800"}`), want: reason.CredentialMalformed},
		"NUL":                         {raw: s.token(with(map[string]any{"sub": "alice\x00admin"})), want: reason.CredentialMalformed},
		"NUL in a name":               {raw: s.token(with(map[string]any{"sub\x00": "alice"})), want: reason.CredentialMalformed},
		"nested over 32":              {raw: s.token(`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`), want: reason.CredentialMalformed},
		"iss missing":                 {raw: s.token(with(map[string]any{"iss": nil})), want: reason.IssuerUnknown},
		"iss of nobody":               {raw: s.token(with(map[string]any{"iss": "https://evil.example/"})), want: reason.IssuerUnknown},
		"iss but for a slash":         {raw: s.token(with(map[string]any{"iss": strings.TrimSuffix(testIssuer, "/")})), want: reason.IssuerUnknown},
		"iss in other case":           {raw: s.token(with(map[string]any{"iss": strings.ToUpper(testIssuer)})), want: reason.IssuerUnknown},
		"iss a list":                  {raw: s.token(with(map[string]any{"iss": []string{testIssuer}})), want: reason.CredentialMalformed},
		"alg none":                    {raw: b64(`{"alg":"none"}`) + "." + body + ".", want: reason.AlgorithmForbidden},
		"alg None, signature kept":    {raw: b64(`{"alg":"None","kid":"k1"}`) + "." + body + "." + tail, want: reason.AlgorithmForbidden},
		"alg not listed":              {raw: signer{"ES384", "k1", p384Key()}.token(with(nil)), want: reason.AlgorithmForbidden},
		"alg in other case":           {raw: s.sign(`{"alg":"es256","kid":"k1"}`, with(nil)), want: reason.AlgorithmForbidden},
		"alg of another kind of key":  {raw: other.token(with(nil)), want: reason.AlgorithmForbidden},
		"typ of another kind":         {raw: s.sign(s.header(`"typ":"dpop+jwt"`), with(nil)), want: reason.TypeForbidden},
		"typ empty":                   {raw: s.sign(s.header(`"typ":""`), with(nil)), want: reason.TypeForbidden},
		"typ missing":                 {raw: ok, change: func(i *Issuer) { i.TokenTypes = []string{"at+jwt"} }, want: reason.TypeForbidden},
		"typ a list":                  {raw: s.sign(s.header(`"typ":["JWT"]`), with(nil)), want: reason.CredentialMalformed},
		"kid unknown":                 {raw: signer{"ES256", "k2", p256Key()}.token(with(nil)), want: reason.KeyUnknown},
		"signed by someone else":      {raw: signer{"ES256", "k1", must(newP256())}.token(with(nil)), want: reason.SignatureInvalid},
		"payload changed":             {raw: head + "." + b64(with(map[string]any{"sub": "root"})) + "." + tail, want: reason.SignatureInvalid},
		"exp missing":                 {raw: s.token(with(map[string]any{"exp": nil})), want: reason.ClaimMissing},
		"exp a string":                {raw: s.token(with(map[string]any{"exp": "9999999999"})), want: reason.CredentialMalformed},
		"exp beyond 2^53":             {raw: s.token(with(map[string]any{"exp": int64(1 << 53)})), want: reason.CredentialMalformed},
		"exp infinite":                {raw: s.token(strings.Replace(with(map[string]any{"exp": 7}), "7", "1e999", 1)), want: reason.CredentialMalformed},
		"exp null":                    {raw: s.token(strings.Replace(with(map[string]any{"exp": 7}), "7", "null", 1)), want: reason.CredentialMalformed},
		"expired":                     {raw: s.token(with(map[string]any{"exp": noon.Unix() - 30})), want: reason.TokenExpired},
		"expired by a fraction":       {raw: s.token(with(map[string]any{"exp": float64(noon.Unix()) - 30.5})), want: reason.TokenExpired},
		"expired before 1970":         {raw: s.token(with(map[string]any{"exp": -1})), want: reason.TokenExpired},
		"not yet valid":               {raw: s.token(with(map[string]any{"nbf": noon.Unix() + 31})), want: reason.TokenNotYetValid},
		"nbf a boolean":               {raw: s.token(with(map[string]any{"nbf": true})), want: reason.CredentialMalformed},
		"issued in the future":        {raw: s.token(with(map[string]any{"iat": noon.Unix() + 31})), want: reason.TokenNotYetValid},
		"iat a string":                {raw: s.token(with(map[string]any{"iat": "1"})), want: reason.CredentialMalformed},
		"too old":                     {raw: s.token(with(map[string]any{"iat": noon.Unix() - 3631})), change: func(i *Issuer) { i.MaxTokenAge = time.Hour }, want: reason.TokenTooOld},
		"age unknown":                 {raw: s.token(with(map[string]any{"iat": nil})), change: func(i *Issuer) { i.MaxTokenAge = time.Hour }, want: reason.ClaimMissing},
		"aud of someone else":         {raw: s.token(with(map[string]any{"aud": []string{"https://other.example"}})), want: reason.AudienceMismatch},
		"aud missing":                 {raw: s.token(with(map[string]any{"aud": nil})), want: reason.AudienceMismatch},
		"aud empty list":              {raw: s.token(with(map[string]any{"aud": []string{}})), want: reason.AudienceMismatch},
		"aud a part of ours":          {raw: s.token(with(map[string]any{"aud": testAudience[:10]})), want: reason.AudienceMismatch},
		"aud a number among strings":  {raw: s.token(with(map[string]any{"aud": []any{testAudience, 7}})), want: reason.CredentialMalformed},
		"aud an object":               {raw: s.token(with(map[string]any{"aud": map[string]any{testAudience: true}})), want: reason.CredentialMalformed},
		"aud though only clients":     {raw: s.token(with(map[string]any{"client_id": "web"})), change: onlyClients, want: reason.AudienceMismatch},
		"aud empty, only clients":     {raw: s.token(with(map[string]any{"client_id": "web", "aud": []string{}})), change: onlyClients, want: reason.AudienceMismatch},
		"client not listed":           {raw: s.token(with(map[string]any{"client_id": "cli"})), change: clients, want: reason.ClientMismatch},
		"client missing":              {raw: s.token(with(nil)), change: clients, want: reason.ClientMismatch},
		"client is no string":         {raw: s.token(with(map[string]any{"cid": 7})), change: clients, want: reason.ClientMismatch},
		"clients disagree":            {raw: s.token(with(map[string]any{"client_id": "web", "azp": "cli"})), change: clients, want: reason.ClientMismatch},
		"clients disagree, not asked": {raw: s.token(with(map[string]any{"cid": "web", "appid": "cli"})), want: reason.ClientMismatch},
		"client_id a number":          {raw: s.token(with(map[string]any{"client_id": 7})), want: reason.CredentialMalformed},
		"token_use another":           {raw: s.token(with(map[string]any{"token_use": "id"})), change: accessOnly, want: reason.TokenUseMismatch},
		"token_use missing":           {raw: s.token(with(nil)), change: accessOnly, want: reason.TokenUseMismatch},
		"token_use a list":            {raw: s.token(with(map[string]any{"token_use": []string{"access"}})), change: accessOnly, want: reason.TokenUseMismatch},
		"sub missing":                 {raw: s.token(with(map[string]any{"sub": nil})), want: reason.ClaimMissing},
		"sub empty":                   {raw: s.token(with(map[string]any{"sub": ""})), want: reason.ClaimMissing},
		"sub a number":                {raw: s.token(with(map[string]any{"sub": 7})), want: reason.CredentialMalformed},
		"principal a number":          {raw: s.token(with(map[string]any{"uid": 7})), change: func(i *Issuer) { i.PrincipalClaim = "uid" }, want: reason.CredentialMalformed},
		"jti a number":                {raw: s.token(with(map[string]any{"jti": 7})), want: reason.CredentialMalformed},
		"sid a list":                  {raw: s.token(with(map[string]any{"sid": []string{"a"}})), want: reason.CredentialMalformed},
		"bound to a certificate":      {raw: s.token(with(map[string]any{"cnf": map[string]any{"x5t#S256": "abc"}})), want: reason.SenderConstrained},
		"bound by DPoP":               {raw: s.token(with(map[string]any{"cnf": map[string]any{"jkt": "abc"}})), want: reason.SenderConstrained},
		"bound to nothing":            {raw: s.token(with(map[string]any{"cnf": map[string]any{}})), want: reason.SenderConstrained},
		"cnf null":                    {raw: s.token(strings.Replace(with(map[string]any{"cnf": 7}), "7", "null", 1)), want: reason.SenderConstrained},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.change == nil {
				tt.change = func(*Issuer) {}
			}
			v := staticVerifier(t, new(clock), set, tt.change)
			for range 2 { // a refusal is not remembered as anything else
				_, err := v.Verify(context.Background(), tt.raw, "")
				wantReason(t, err, tt.want)
				if n := len(err.Error()); n > 300 {
					t.Errorf("detail of %d bytes", n)
				}
				for part := range strings.SplitSeq(tt.raw, ".") {
					if len(part) > 12 && strings.Contains(err.Error(), part) {
						t.Errorf("detail %q holds a part of the token", err)
					}
				}
			}
		})
	}
}

// stray sets the last bit of unpadded base64url that ends in the middle of a
// character: another spelling of the same bytes.
func stray(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(text) - 1
	return text[:last] + string(alphabet[strings.IndexByte(alphabet, text[last])|1])
}

func onlyClients(i *Issuer) { i.Audiences, i.ClientIDs = nil, []string{"web"} }
func clients(i *Issuer)     { i.ClientIDs = []string{"web"} }
func accessOnly(i *Issuer)  { i.TokenUse = "access" }

func TestTokensThatLookOddButAreFineAreAccepted(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k1")
	for name, tt := range map[string]struct {
		raw    string
		change func(*Issuer)
	}{
		"typ at+jwt":                   {raw: s.sign(s.header(`"typ":"at+jwt"`), with(nil))},
		"typ in long form":             {raw: s.sign(s.header(`"typ":"application/AT+JWT"`), with(nil))},
		"headers naming other keys":    {raw: s.sign(s.header(`"jku":"https://evil.example/jwks"`, `"jwk":{"kty":"oct"}`, `"x5u":"https://evil.example"`, `"x5c":["AA"]`, `"x5t":"AA"`), with(nil))},
		"b64 true":                     {raw: s.sign(s.header(`"b64":true`), with(nil))},
		"one of two audiences":         {raw: s.token(with(map[string]any{"aud": []string{"x", testAudience}}))},
		"32 levels":                    {raw: s.token(with(map[string]any{"a": stdRaw(strings.Repeat("[", 31) + strings.Repeat("]", 31))}))},
		"expired within the leeway":    {raw: s.token(with(map[string]any{"exp": noon.Unix() - 29}))},
		"exp a fraction":               {raw: s.token(with(map[string]any{"exp": float64(noon.Unix()) - 29.5}))},
		"exp in exponent form":         {raw: s.token(with(map[string]any{"exp": stdRaw("2e9")}))},
		"exp at the bound":             {raw: s.token(with(map[string]any{"exp": int64(1<<53 - 1)}))},
		"nbf within the leeway":        {raw: s.token(with(map[string]any{"nbf": noon.Unix() + 30}))},
		"iat within the leeway":        {raw: s.token(with(map[string]any{"iat": noon.Unix() + 30}))},
		"no iat":                       {raw: s.token(with(map[string]any{"iat": nil}))},
		"as old as may be":             {raw: s.token(with(map[string]any{"iat": noon.Unix() - 3630})), change: func(i *Issuer) { i.MaxTokenAge = time.Hour }},
		"leeway of five minutes":       {raw: s.token(with(map[string]any{"exp": noon.Unix() - 299})), change: func(i *Issuer) { i.Leeway = new(5 * time.Minute) }},
		"client alone, no aud":         {raw: s.token(with(map[string]any{"client_id": "web", "aud": nil})), change: onlyClients},
		"all clients agree":            {raw: s.token(with(map[string]any{"client_id": "web", "azp": "web", "cid": "web", "appid": "web"})), change: clients},
		"someone's cid is a number":    {raw: s.token(with(map[string]any{"client_id": "web", "cid": 7})), change: clients},
		"token_use as wanted":          {raw: s.token(with(map[string]any{"token_use": "access"})), change: accessOnly},
		"sub missing, other principal": {raw: s.token(with(map[string]any{"sub": nil, "uid": "alice"})), change: func(i *Issuer) { i.PrincipalClaim = "uid" }},
		"alias of the issuer":          {raw: s.token(with(map[string]any{"iss": "idp.example.com"})), change: func(i *Issuer) { i.Aliases = []string{"idp.example.com"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.change == nil {
				tt.change = func(*Issuer) {}
			}
			v := staticVerifier(t, new(clock), keySetOf(s.jwk()), tt.change)
			for range 2 {
				if got := verifyOK(t, v, tt.raw); got.Issuer != "main" || got.IssuerURL != testIssuer || got.Principal != "alice" {
					t.Errorf("issuer %q %q, principal %q", got.Issuer, got.IssuerURL, got.Principal)
				}
			}
		})
	}
}
