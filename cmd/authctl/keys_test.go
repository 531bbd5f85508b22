package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/secretsmanager"
	store "lambda-authorizer/secrets"
)

// The commands about keys as operators type them, against the stand-in for
// Secrets Manager, and a server that verifies what sign has signed.
func TestKeyScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/keys", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: setUpKeys,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "secret": createSecret, "stored": readStored, "credential": keepCredential, "holds": holds,
		},
	})
}

// vault is Secrets Manager, and an API that takes signed requests.
type vault struct{ *httptest.Server }

func setUpKeys(env *testscript.Env) error {
	server := secretsmanager.New("eu-central-1", "123456789012")
	v := &vault{httptest.NewServer(server)}
	api := httptest.NewServer(http.HandlerFunc(v.verify))
	for name, value := range map[string]string{
		"API": api.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": v.URL,
	} {
		env.Setenv(name, value)
	}
	env.Values["server"], env.Values["vault"], env.Values["tokens"] = server, v, new([]string)
	env.Defer(func() { v.Close(); api.Close() })
	return nil
}

// call is one call of the service's own protocol.
func (v *vault) call(operation string, in map[string]any) (map[string]any, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, v.URL, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Amz-Target", secretsmanager.Target+operation)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s %v %v", operation, resp.Status, out, err)
	}
	return out, nil
}

func (v *vault) text(secret string) (string, error) {
	out, err := v.call("GetSecretValue", map[string]any{"SecretId": secret})
	if err != nil {
		return "", err
	}
	return out["SecretString"].(string), nil
}

// createSecret makes a secret, empty or of a file's text. --full fills it with
// keys up to the last few bytes.
//
//	secret NAME [FILE | --full]
func createSecret(ts *testscript.TestScript, _ bool, args []string) {
	text := `{"keys":{}}`
	switch {
	case len(args) == 2 && args[1] == "--full":
		text = `{"keys":{"first":{"sha256":"` + strings.Repeat("0", 64) + `","principal":"p"}`
		for n := 0; len(text) < store.MaxBytes-100; n++ {
			text += fmt.Sprintf(`,"k%03d":{"sha256":"%064d","principal":"p"}`, n, n)
		}
		text += "}}"
	case len(args) == 2:
		text = ts.ReadFile(args[1])
	}
	ts.Check(ts.Value("server").(*secretsmanager.Server).Create(args[0], text))
}

// readStored writes a secret's text into a file.
//
//	stored NAME FILE
func readStored(ts *testscript.TestScript, _ bool, args []string) {
	text, err := ts.Value("vault").(*vault).text(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// keepCredential takes the last line of the output, which must be all that the
// output has of it, into a variable and a file. From here on no output of the
// script may show it, nor the hash of an API key.
//
//	credential NAME
func keepCredential(ts *testscript.TestScript, _ bool, args []string) {
	out := strings.TrimSuffix(ts.ReadFile("stdout"), "\n")
	rest, text := out[:strings.LastIndex(out, "\n")+1], out[strings.LastIndex(out, "\n")+1:]
	if len(text) < 40 || strings.Contains(rest+ts.ReadFile("stderr"), text) || !strings.HasSuffix(rest, "\n\n") {
		ts.Fatalf("the last line is no credential, or it is shown twice")
	}
	ts.Setenv(args[0], text)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text+"\n"), 0o600))
	all := ts.Value("tokens").(*[]string)
	*all = append(*all, text)
	if parts := strings.Split(text, "_"); len(parts) == 3 && parts[0] == "ak" {
		secret := parts[2][:43]
		sum := sha256.Sum256([]byte(secret))
		*all = append(*all, secret, hex.EncodeToString(sum[:]))
	}
}

// holds fails unless a file has what a variable has.
//
//	holds FILE VARIABLE
func holds(ts *testscript.TestScript, neg bool, args []string) {
	if found := strings.Contains(ts.ReadFile(args[0]), ts.Getenv(args[1])); found == neg {
		ts.Fatalf("%s in %s: %t", args[1], args[0], found)
	}
}

// verify is an API: it verifies the signature by the keys that are stored in
// prod/signing-keys, and the body by its digest.
func (v *vault) verify(w http.ResponseWriter, r *http.Request) {
	text, err := v.text("prod/signing-keys")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	keys, bad := httpsig.ParseKeys([]byte(text))
	if bad != nil {
		http.Error(w, fmt.Sprint(bad), http.StatusInternalServerError)
		return
	}
	verifier, err := httpsig.New(httpsig.Config{Replay: "allow"}, httpsig.Options{Keys: keyring(keys)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s, err := verifier.Verify(r.Context(), &httpsig.Message{
		Method: r.Method, Authority: r.Host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header.Values,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if sum := sha256.Sum256(body); s.Digest != "" && !digestIs(s.Digest, sum[:]) {
		http.Error(w, "the body is another", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s of %s, tag %q, %s, %d bytes\n", r.Method, r.URL.RequestURI(), s.Key.Principal, s.Tag, r.Header.Get("Content-Type"), len(body))
}

type keyring map[string]*httpsig.Key

func (k keyring) Key(_ context.Context, id string) (*httpsig.Key, error) { return k[id], nil }
