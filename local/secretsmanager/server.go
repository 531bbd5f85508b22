// Package secretsmanager stands in for AWS Secrets Manager: the calls that this
// project and its operators make, over the service's own protocol (AWS JSON
// 1.1), with versions, staging labels and rotation as documented. It keeps
// secrets in memory, checks no signature and knows no deletion, replication,
// tags or schedule.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Target is what the header X-Amz-Target of the service's calls begins with.
const Target = "secretsmanager."

// Server is the stand-in, an http.Handler. Safe for concurrent use.
type Server struct {
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Region and Account stand in ARNs.
	Region, Account string
	// Rotate is what RotateSecret has called for each step of a rotation, one
	// after another, after it has answered; the first error ends the rotation,
	// as a failing function does. Nil: no secret can be rotated.
	Rotate func(context.Context, Step) error

	mu      sync.Mutex
	secrets map[string]*secret // by name
}

// New makes a stand-in without secrets.
func New(region, account string) *Server {
	return &Server{Now: time.Now, Region: region, Account: account, secrets: make(map[string]*secret)}
}

// fault is an error as the service reports it.
type fault struct {
	Type    string `json:"__type"`
	Message string `json:"Message"`
}

func (f fault) Error() string { return f.Type + ": " + f.Message }

func notFound(what string) error {
	return fault{"ResourceNotFoundException", "Secrets Manager can't find the specified " + what + "."}
}

func invalid(format string, args ...any) error {
	return fault{"InvalidParameterException", fmt.Sprintf(format, args...)}
}

// input has the members of all calls.
type input struct {
	Name                string   `json:"Name"`
	SecretID            string   `json:"SecretId"`
	ClientRequestToken  string   `json:"ClientRequestToken"`
	SecretString        *string  `json:"SecretString"`
	SecretBinary        []byte   `json:"SecretBinary"`
	VersionID           string   `json:"VersionId"`
	VersionStage        string   `json:"VersionStage"`
	VersionStages       []string `json:"VersionStages"`
	MoveToVersionID     string   `json:"MoveToVersionId"`
	RemoveFromVersionID string   `json:"RemoveFromVersionId"`
	IncludeDeprecated   bool     `json:"IncludeDeprecated"`
	RotateImmediately   *bool    `json:"RotateImmediately"`
}

// maxRequest bounds a request: the largest secret, in base64, and some.
const maxRequest = 128 << 10

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in input
	if err := json.NewDecoder(io.LimitReader(r.Body, maxRequest)).Decode(&in); err != nil {
		answer(w, http.StatusBadRequest, fault{"SerializationException", "the request is not JSON"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.call(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), Target), in)
	if err != nil {
		var f fault
		if !errors.As(err, &f) {
			f = fault{"InternalServiceError", "internal"}
		}
		answer(w, http.StatusBadRequest, f)
		return
	}
	answer(w, http.StatusOK, out)
}

func (s *Server) call(operation string, in input) (any, error) {
	switch operation {
	case "CreateSecret":
		return s.create(in)
	case "ListSecrets":
		return s.list(), nil
	}
	secret := s.find(in.SecretID)
	if secret == nil {
		return nil, notFound("secret")
	}
	switch operation {
	case "GetSecretValue":
		return secret.get(in)
	case "PutSecretValue":
		return secret.put(in, s.Now())
	case "DescribeSecret":
		return secret.describe(), nil
	case "ListSecretVersionIds":
		return secret.listVersions(in), nil
	case "RotateSecret":
		return s.rotate(secret, in)
	case "UpdateSecretVersionStage":
		return secret.move(in, s.Now())
	}
	return nil, fault{"UnknownOperationException", "the stand-in has no " + operation}
}

// randomEnd is what an ARN has after the name.
var randomEnd = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

// Create adds a secret, for a program that sets one up. An ARN in place of the
// name is the secret's, so that what names one by its ARN finds it.
func (s *Server) Create(name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := ""
	if _, resource, found := strings.Cut(name, ":secret:"); found {
		arn, name = name, randomEnd.ReplaceAllString(resource, "")
	}
	_, err := s.create(input{Name: name, SecretString: &value, ClientRequestToken: uuid()})
	if err == nil && arn != "" {
		s.secrets[name].arn = arn
	}
	return err
}

// Has tells whether there is a secret of that name or ARN.
func (s *Server) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(id) != nil
}

// find takes a name or an ARN, with or without the ARN's random end.
func (s *Server) find(id string) *secret {
	if found := s.secrets[id]; found != nil {
		return found
	}
	for _, candidate := range s.secrets {
		if id == candidate.arn || id != "" && id == candidate.arn[:len(candidate.arn)-7] {
			return candidate
		}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that hung up
}
