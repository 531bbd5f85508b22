package jwks

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"sync"

	"lambda-authorizer/reason"
)

// maxTokenBytes bounds a compact token. API Gateway carries at most 10 KB of
// headers, a query string can be longer.
const maxTokenBytes = 16 << 10

// base64url is RFC 7515's: no padding, and (Strict) no stray bits after the
// last byte, so that a token has exactly one spelling.
var base64url = base64.RawURLEncoding.Strict()

// compact is a token in the compact serialization, taken apart. Its slices
// are valid until it is released.
type compact struct {
	source     string // the whole token, the caller's
	text       []byte // and ours
	headerText string // names a header that was verified before
	header     []byte // decoded on demand, see decodeHeader
	claims     []byte
	signature  []byte
	input      []byte // header.payload, what the signature is over

	dec     decoder
	raw     [maxTokenBytes]byte
	decoded [maxTokenBytes]byte
}

// compacts saves 32 KB per verification.
var compacts = sync.Pool{New: func() any { return new(compact) }}

// newCompact takes raw in as it is. The caller releases what it returns.
func newCompact(raw string) (*compact, error) {
	if len(raw) > maxTokenBytes {
		return nil, fmt.Errorf("%w: token has %d bytes, at most %d are accepted", reason.CredentialMalformed, len(raw), maxTokenBytes)
	}
	c := compacts.Get().(*compact)
	c.source, c.text = raw, c.raw[:copy(c.raw[:], raw)]
	return c, nil
}

func (c *compact) release() {
	c.source, c.headerText = "", ""
	compacts.Put(c)
}

// split takes the token apart: exactly three parts of canonical base64url
// (RFC 7515 section 7.1). An empty signature is left to the checks of the
// algorithm.
func (c *compact) split() error {
	if err := c.parts(); err != nil {
		return fmt.Errorf("%w: %v", reason.CredentialMalformed, err)
	}
	return nil
}

func (c *compact) parts() error {
	text := c.text
	// encoding/base64 skips line ends, even when strict.
	if bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 {
		return fmt.Errorf("token holds a line end")
	}
	first := bytes.IndexByte(text, '.')
	last := first + 1 + bytes.IndexByte(text[first+1:], '.')
	if first < 0 || last == first || bytes.IndexByte(text[last+1:], '.') >= 0 {
		return partsError(text)
	}
	if first == 0 || last == first+1 {
		return fmt.Errorf("token has an empty header or payload")
	}
	c.headerText, c.header, c.input = c.source[:first], text[:first], text[:last]

	n, err := base64url.Decode(c.decoded[:], text[first+1:last])
	if err != nil {
		return fmt.Errorf("payload is not canonical base64url")
	}
	m, err := base64url.Decode(c.decoded[n:], text[last+1:])
	if err != nil {
		return fmt.Errorf("signature is not canonical base64url")
	}
	c.claims, c.signature = c.decoded[:n:n], c.decoded[n:n+m:n+m]
	return nil
}

func partsError(text []byte) error {
	n := bytes.Count(text, []byte{'.'}) + 1
	if n == 5 { // RFC 7516 section 7.1
		return fmt.Errorf("token has five parts: encrypted tokens are not accepted")
	}
	return fmt.Errorf("token has %d parts instead of three", n)
}

// decodeHeader returns the header's JSON.
func (c *compact) decodeHeader() ([]byte, error) {
	// Claims and signature fill at most three quarters of decoded, and the
	// header's own share of the token is still free behind them.
	free := c.decoded[len(c.claims)+len(c.signature):]
	n, err := base64url.Decode(free, c.header)
	if err != nil {
		return nil, fmt.Errorf("%w: header is not canonical base64url", reason.CredentialMalformed)
	}
	return free[:n], nil
}
