package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/httpsig"
)

// signed is a request with its signature.
type signed struct {
	request *http.Request
	data    []byte
	// file is where data came from; empty for the command line.
	file  string
	typed bool
	notes []string
}

// ofSignature are the header fields that signing adds, in the order they are
// shown.
var ofSignature = []string{"Content-Digest", "Signature-Input", "Signature"}

// names are the header fields in the order they are shown.
func (s *signed) names() []string {
	var out []string
	for name := range s.request.Header {
		if !slices.Contains(ofSignature, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return append(out, s.signature()...)
}

func (s *signed) signature() []string {
	return slices.DeleteFunc(slices.Clone(ofSignature), func(name string) bool { return s.request.Header.Values(name) == nil })
}

// added are the header fields that are not from the command line.
func (s *signed) added() []string {
	if s.typed {
		return append([]string{"Content-Type"}, s.signature()...)
	}
	return s.signature()
}

// remark notes what the operator should know of this signature.
func (s *signed) remark(cfg *httpsig.Config, f signFlags, now time.Time) {
	s.note("added %s", strings.Join(s.added(), ", "))
	if sent := s.request.URL.String(); sent != f.url {
		s.note("the URL is written in canonical form: send it as it stands")
	}
	ends := f.lifetime
	if cfg != nil && (ends == 0 || cfg.MaxAge < ends) {
		ends = cfg.MaxAge
	}
	until := "for as long as signatures.max_age says"
	if ends > 0 {
		until = "until " + moment(now.Truncate(time.Second).Add(ends))
	}
	once := "once, "
	if cfg != nil && cfg.Replay == "allow" {
		once = ""
	}
	s.note("the signature counts %s%s", once, until)
	host := strings.TrimSuffix(strings.ToLower(s.host()), ":443")
	if cfg != nil && len(cfg.Authorities) > 0 && !slices.Contains(cfg.Authorities, host) {
		s.note("signatures.authorities does not list %s: the authorizer will refuse it", host)
	}
	if s.file == "-" {
		s.note("the command reads the body from its own standard input")
	}
}

func (s *signed) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (s *signed) host() string {
	if s.request.Host != "" {
		return s.request.Host
	}
	return s.request.URL.Host
}

// curl is the command that sends the request.
func (s *signed) curl() string {
	words := []string{"curl"}
	usual := http.MethodGet
	if len(s.data) > 0 {
		usual = http.MethodPost
	}
	switch {
	case s.request.Method == usual:
	case s.request.Method == http.MethodHead && len(s.data) == 0:
		words = append(words, "--head")
	default:
		words = append(words, "--request "+quote(s.request.Method))
	}
	words = append(words, quote(s.request.URL.String()))
	if s.host() != s.request.URL.Host {
		words = append(words, "--header "+quote("Host: "+s.host()))
	}
	for _, name := range s.names() {
		for _, value := range s.request.Header.Values(name) {
			words = append(words, "--header "+quote(name+": "+value))
		}
	}
	switch {
	case len(s.data) == 0:
	case s.file != "":
		words = append(words, "--data-binary "+quote("@"+s.file))
	default:
		words = append(words, "--data-raw "+quote(string(s.data)))
	}
	return strings.Join(words, " \\\n  ")
}

// showSigned prints past the writers that cut signatures and tokens: what is
// cut cannot be sent.
func (t *tool) showSigned(s *signed) error {
	text := s.curl()
	if t.json {
		doc, err := json.MarshalIndent(map[string]any{
			"action": "sign", "method": s.request.Method, "url": s.request.URL.String(), "headers": s.request.Header,
			"added": s.added(), "curl": text, "notes": s.notes,
		}, "", "  ")
		if err != nil {
			return failed("%v", err)
		}
		text = string(escapeHidden(doc))
	}
	if _, err := fmt.Fprintln(t.out, text); err != nil {
		return failed("standard output cannot be written: %v", err)
	}
	if !t.json {
		for _, n := range s.notes {
			fmt.Fprintf(t.err, "note: %s\n", shown(n))
		}
	}
	return nil
}
