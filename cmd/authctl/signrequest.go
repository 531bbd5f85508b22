package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// outgoing is the request that curl's flags of the same names describe.
type outgoing struct {
	method, url, data, dataFile string
	headers                     []string
	// given: the command line gives a body, be it an empty one. typed: the
	// Content-Type is ours.
	given, typed bool
}

func (r *outgoing) flags(c *cobra.Command) {
	c.Flags().StringVarP(&r.method, "method", "X", "", "the `method` (default: GET, with a body POST)")
	c.Flags().StringVar(&r.url, "url", "", "the `URL`, with the stage and the query")
	c.Flags().StringArrayVarP(&r.headers, "header", "H", nil, "a header as `name: value`; repeatable")
	c.Flags().StringVarP(&r.data, "data", "d", "", "the body, as it is")
	c.Flags().StringVar(&r.dataFile, "data-file", "", "the `file` with the body; - is standard input")
}

// maxSignedBody is what API Gateway takes at most.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const maxSignedBody = 10 << 20

func (r *outgoing) read(in io.Reader) ([]byte, error) {
	switch {
	case r.data != "" && r.dataFile != "":
		return nil, usage("give --data or --data-file, not both")
	case r.dataFile == "":
		return []byte(r.data), nil
	}
	if r.dataFile != "-" {
		f, err := os.Open(r.dataFile)
		if err != nil {
			return nil, usage("the body cannot be read: %v", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxSignedBody+1))
	switch {
	case err != nil:
		return nil, usage("the body cannot be read: %v", err)
	case len(data) > maxSignedBody:
		return nil, usage("the body has more than 10 MiB, which API Gateway does not take")
	}
	return data, nil
}

func (r *outgoing) build(ctx context.Context, data []byte) (*http.Request, error) {
	method := cmp.Or(r.method, http.MethodGet)
	if r.method == "" && r.given {
		method = http.MethodPost
	}
	if r.url == "" {
		return nil, usage("give --url")
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, bytes.NewReader(data))
	if err != nil {
		return nil, usage("the method or the URL is none: write the URL as https://api.example.com/items?limit=10")
	}
	switch u := req.URL; {
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, usage("the URL must begin with https:// or http:// and a host")
	case u.User != nil:
		return nil, usage("the URL holds a user name: leave it out")
	case u.Fragment != "":
		return nil, usage("the URL has a fragment, which is never sent: leave it out, or write # as %%23")
	}
	for _, line := range r.headers {
		if err := addHeader(req, line); err != nil {
			return nil, err
		}
	}
	if r.typed = len(data) > 0 && req.Header.Get("Content-Type") == ""; r.typed {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110 section 5.6.2

// addHeader quotes no value in an error: it may be a token.
func addHeader(req *http.Request, line string) error {
	name, value, ok := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case !ok || !headerName.MatchString(name) || strings.ContainsFunc(value, hidden):
		return usage("--header is name: value, of printable characters")
	case value == "":
		return usage("the header %s has no value: curl would not send it", name)
	case slices.Contains([]string{"Content-Digest", "Signature", "Signature-Input", "Content-Length"}, http.CanonicalHeaderKey(name)):
		return usage("the header %s is made here: leave it out", name)
	case http.CanonicalHeaderKey(name) == "Host":
		req.Host = value
		return nil
	}
	req.Header.Add(name, value)
	return nil
}
