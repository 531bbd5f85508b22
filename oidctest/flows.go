package oidctest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// The clients that testdata/record/provider.mjs knows. A client's secret is
// its id and "-secret".
const (
	Service = "service" // client credentials
	Web     = "web"     // authorization code
)

// The accounts that may sign in.
const (
	Alice = "alice" // groups: staff
	Olga  = "olga"  // groups: staff, ops
)

// maxAnswer bounds what is read of one answer of the provider, in bytes.
const maxAnswer = 1 << 20

// ClientCredentials gets an access token for the client Service by the client
// credentials grant (RFC 6749 section 4.4, RFC 8707). Scopes the provider does
// not know are not granted.
func (p *Provider) ClientCredentials(ctx context.Context, scopes ...string) (string, error) {
	return p.token(ctx, Service, url.Values{
		"grant_type": {"client_credentials"},
		"resource":   {p.Audience},
		"scope":      {strings.Join(scopes, " ")},
	})
}

// AuthorizationCode gets an access token for account by the authorization code
// grant with PKCE (RFC 6749 section 4.1, RFC 7636): it signs in and consents
// on the provider's pages. The provider knows Alice and Olga.
func (p *Provider) AuthorizationCode(ctx context.Context, account string, scopes ...string) (string, error) {
	verifier := rand.Text() + rand.Text() // RFC 7636 section 4.1: 43 characters at least
	challenge := sha256.Sum256([]byte(verifier))
	code, err := p.signIn(ctx, account, url.Values{
		"client_id":             {Web},
		"response_type":         {"code"},
		"redirect_uri":          {p.RedirectURI},
		"scope":                 {strings.Join(append([]string{"openid"}, scopes...), " ")},
		"resource":              {p.Audience},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	})
	if err != nil {
		return "", fmt.Errorf("sign in %s: %w", account, err)
	}
	return p.token(ctx, Web, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"code_verifier": {verifier},
		"redirect_uri":  {p.RedirectURI},
		"resource":      {p.Audience},
	})
}

func (p *Provider) token(ctx context.Context, client string, form url.Values) (string, error) {
	request, err := newForm(ctx, p.Issuer+"/token", form)
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(client, client+"-secret")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return "", fmt.Errorf("token endpoint: %s: %w", response.Status, err)
	}
	if response.StatusCode != http.StatusOK || answer.AccessToken == "" {
		return "", fmt.Errorf("token endpoint: %s: %s: %s", response.Status, answer.Error, answer.Description)
	}
	return answer.AccessToken, nil
}

// signIn walks from the authorization endpoint over the sign-in and consent
// pages to the code.
func (p *Provider) signIn(ctx context.Context, account string, query url.Values) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(to.URL.String(), p.RedirectURI) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Issuer+"/auth?"+query.Encode(), nil)
	if err != nil {
		return "", err
	}
	for range 4 { // sign in, consent, and room for a page more
		response, err := browser.Do(request)
		if err != nil {
			return "", err
		}
		page, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		response.Body.Close()
		if err != nil {
			return "", err
		}
		if response.StatusCode >= 300 && response.StatusCode < 400 {
			return codeOf(response)
		}
		if request, err = fillIn(ctx, response, string(page), account); err != nil {
			return "", err
		}
	}
	return "", errors.New("the pages do not come to an end")
}

func codeOf(response *http.Response) (string, error) {
	callback, err := response.Location()
	if err != nil {
		return "", err
	}
	answer := callback.Query()
	if code := answer.Get("code"); code != "" {
		return code, nil
	}
	return "", fmt.Errorf("no code: %s: %s", answer.Get("error"), answer.Get("error_description"))
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

func fillIn(ctx context.Context, response *http.Response, page, account string) (*http.Request, error) {
	action, prompt := formAction.FindStringSubmatch(page), formPrompt.FindStringSubmatch(page)
	if action == nil || prompt == nil {
		return nil, fmt.Errorf("%s: %s, with no form to fill in", response.Request.URL.Path, response.Status)
	}
	to, err := response.Request.URL.Parse(html.UnescapeString(action[1]))
	if err != nil {
		return nil, err
	}
	form := url.Values{"prompt": {prompt[1]}}
	if prompt[1] == "login" {
		form.Set("login", account)
		form.Set("password", "any")
	}
	return newForm(ctx, to.String(), form)
}

func newForm(ctx context.Context, to string, form url.Values) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request, nil
}
