package items

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"
)

// CORS says which web pages may call the service.
type CORS struct {
	origins     []string
	credentials bool
}

// ParseCORS reads a comma-separated list of origins, each as a browser writes
// it (https://app.example.com, no path, no slash at the end), or "*" alone for
// any. credentials lets pages send cookies: never with "*".
func ParseCORS(list string, credentials bool) (CORS, error) {
	c := CORS{credentials: credentials}
	for origin := range strings.SplitSeq(list, ",") {
		origin = strings.TrimSpace(origin)
		switch {
		case origin == "":
			continue
		case origin == "*" && credentials:
			return CORS{}, errors.New("* with credentials would let every web page act as its visitor: list the origins")
		case origin != "*" && !isOrigin(origin):
			return CORS{}, fmt.Errorf("%q is not an origin like https://app.example.com", origin)
		}
		c.origins = append(c.origins, origin)
	}
	if len(c.origins) > 1 && strings.Contains(list, "*") {
		return CORS{}, errors.New("* stands alone: it includes every other origin")
	}
	return c, nil
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		u.Scheme+"://"+u.Host == s && s == strings.ToLower(s) && !strings.Contains(s, "*")
}

// wrap answers preflight requests and marks the answers that pages may read.
func (c CORS) wrap(next http.Handler) http.Handler {
	if len(c.origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins:   c.origins,
		AllowCredentials: c.credentials,
		AllowedMethods:   []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{
			"Authorization", "Content-Type", "Content-Digest", idempotencyHeader, "If-Match", "If-None-Match",
			"Signature", "Signature-Input", "X-Api-Key",
		},
		ExposedHeaders: []string{"ETag", "Location", "Retry-After", "X-Request-Id", "Allow", "Accept-Patch"},
		MaxAge:         600,
	}).Handler(next)
}
