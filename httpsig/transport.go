package httpsig

import "net/http"

// Transport is an http.RoundTripper that signs every request it sends, to
// whatever host: give a client of its own to each service that knows the key.
// A redirect is signed anew. Bodies are read into memory.
//
// Where net/http sends a request again because a connection broke, it sends
// the same signature. Had the first one arrived, the second is refused as a
// replay; so nothing is done twice.
type Transport struct {
	Signer *Signer
	// Base sends the signed request; nil is http.DefaultTransport.
	Base http.RoundTripper
}

// RoundTrip signs a copy of req and sends it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	signed := req.Clone(req.Context())
	if err := t.Signer.Sign(signed); err != nil {
		if req.Body != nil {
			// A RoundTripper closes the body, also where it fails. Closing it
			// once more does no harm.
			_ = req.Body.Close()
		}
		return nil, err
	}
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	return base.RoundTrip(signed)
}
