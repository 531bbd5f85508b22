package httpsig

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// label is the signature's name in the two header fields.
const label = "sig"

// Signer signs requests with one key. Set its fields before the first use;
// then it is safe for concurrent use.
type Signer struct {
	// Fields are header fields to cover besides what a signature must; each
	// must be in the request once.
	Fields []string
	// Lifetime sets expires that long after created, in whole seconds. Zero
	// sets none: the verifier's max_age counts alone.
	Lifetime time.Duration
	// Tag is the signature's tag; empty sets none.
	Tag string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Nonce makes a nonce of at most 256 printable ASCII characters; nil makes
	// a random one of 130 bits.
	Nonce func() string

	id string
	// secret is a function for the reason that Key.secrets is one.
	secret func() []byte
	check  func(now time.Time) error // of the key's record; nil where none was read
}

// NewSigner makes a Signer from a key's id and its secret, in base64 as it
// stands in the key's record.
func NewSigner(id, base64Secret string) (*Signer, error) {
	if !ValidID(id) {
		return nil, fmt.Errorf("httpsig: %w", errNoID)
	}
	b, err := parseSecret("the secret", strings.TrimSpace(base64Secret))
	if err != nil {
		return nil, fmt.Errorf("httpsig: %w", err)
	}
	return &Signer{id: id, secret: func() []byte { return b }}, nil
}

// Sign signs req: it sets Content-Digest where there is a body or the method
// wants a digest, Signature-Input and Signature, and it writes the URL in
// canonical form, its parameters sorted by name. It reads the body into memory
// and puts it back. It fails where the verifier would refuse the request.
func (s *Signer) Sign(req *http.Request) error {
	if err := s.sign(req); err != nil {
		return fmt.Errorf("httpsig: sign %s request: %w", method(req), err)
	}
	return nil
}

func (s *Signer) sign(req *http.Request) error {
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Values("Signature-Input") != nil || req.Header.Values("Signature") != nil {
		return errors.New("it is signed already")
	}
	body, err := takeBody(req)
	if err != nil {
		return err
	}
	if err := canonicalURL(req); err != nil {
		return err
	}
	digested := needsDigest(method(req)) || len(body) > 0
	if digested {
		sum := sha256.Sum256(body)
		digest := httpsfv.NewDictionary()
		digest.Add("sha-256", httpsfv.NewItem(sum[:]))
		if err := setField(req, "Content-Digest", digest); err != nil {
			return err
		}
	}
	components, err := s.components(digested)
	if err != nil {
		return err
	}
	return s.attach(req, components)
}

// attach makes the MAC and sets the two header fields.
func (s *Signer) attach(req *http.Request, components []component) error {
	view, err := newView(&Message{
		Method: method(req), Path: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery,
		Header: func(name string) []string { return req.Header.Values(name) },
	})
	if err != nil {
		return err
	}
	input, err := s.input(components)
	if err != nil {
		return err
	}
	base, err := signatureBase(view, components, input, requestAuthority(req))
	if err != nil {
		return err
	}
	inputs, signatures := httpsfv.NewDictionary(), httpsfv.NewDictionary()
	inputs.Add(label, input)
	signatures.Add(label, httpsfv.NewItem(mac(s.secret(), base)))
	if err := setField(req, "Signature-Input", inputs); err != nil {
		return err
	}
	return setField(req, "Signature", signatures)
}

// components are what the signature covers.
func (s *Signer) components(digested bool) ([]component, error) {
	names := slices.Clone(leastComponents)
	if digested {
		names = append(names, "content-digest")
	}
	for _, field := range s.Fields {
		field = strings.ToLower(field)
		if !fieldName.MatchString(field) {
			return nil, errors.New("a field to cover has a name that no header field has")
		}
		if !slices.Contains(names, field) {
			names = append(names, field)
		}
	}
	out := make([]component, len(names))
	for i, name := range names {
		id, err := httpsfv.Marshal(httpsfv.NewItem(name))
		if err != nil {
			return nil, err
		}
		out[i] = component{id: id, name: name}
	}
	return out, nil
}

// input is the covered components with the signature's own parameters.
func (s *Signer) input(components []component) (httpsfv.InnerList, error) {
	now, nonce := time.Now, rand.Text
	if s.Now != nil {
		now = s.Now
	}
	if s.Nonce != nil {
		nonce = s.Nonce
	}
	list := httpsfv.InnerList{Params: httpsfv.NewParams()}
	for _, c := range components {
		list.Items = append(list.Items, httpsfv.NewItem(c.name))
	}
	created := now()
	list.Params.Add("created", created.Unix())
	if s.Lifetime > 0 {
		list.Params.Add("expires", created.Add(s.Lifetime).Unix())
	}
	once := nonce()
	if once == "" || len(once) > maxNonce {
		return list, fmt.Errorf("a nonce of %d bytes: it must have 1 to %d", len(once), maxNonce)
	}
	list.Params.Add("nonce", once)
	list.Params.Add("keyid", s.id)
	list.Params.Add("alg", algorithm)
	if s.Tag != "" {
		list.Params.Add("tag", s.Tag)
	}
	return list, nil
}

// takeBody reads the body and puts it back.
func takeBody(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	if closed := req.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	req.GetBody = func() (io.ReadCloser, error) {
		if len(body) == 0 {
			return http.NoBody, nil
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	req.ContentLength = int64(len(body))
	req.Body, err = req.GetBody()
	return body, err
}

// canonicalURL writes the URL the way it is signed, so that what is sent is an
// exact RFC 9421 request for every kind of API.
func canonicalURL(req *http.Request) error {
	u := *req.URL
	if u.Opaque != "" {
		return errors.New("its URL is opaque")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	path, err := canonicalPath(path, false)
	if err != nil {
		return err
	}
	params, err := parseParameters(u.RawQuery)
	if err != nil {
		return err
	}
	slices.SortStableFunc(params, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawPath = path
	u.RawQuery = strings.TrimPrefix(canonicalQuery(params), "?")
	u.ForceQuery = false
	if u.EscapedPath() != path {
		return errors.New("its path cannot be written in canonical form")
	}
	req.URL = &u
	return nil
}

func setField(req *http.Request, name string, value *httpsfv.Dictionary) error {
	text, err := httpsfv.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	req.Header.Set(name, text)
	return nil
}

// requestAuthority is what the Host header will say, without a default port.
func requestAuthority(req *http.Request) string {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	if req.URL.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	}
	return canonicalAuthority(host)
}

func method(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}
