// Package oidctest runs a real OpenID provider, npm oidc-provider, for tests,
// and gets tokens from it over HTTP as any client would. It is for tests
// alone: the provider signs in whoever asks, and its clients' secrets are in
// its source.
package oidctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"lambda-authorizer/local/process"
)

// startTimeout bounds how long the provider may take to listen: about a second
// for node and its four keys, several on a busy machine.
const startTimeout = 30 * time.Second

// Provider is a running OpenID provider with keys of its own. Safe for
// concurrent use.
type Provider struct {
	// Issuer is its issuer, a URL on loopback, where discovery works.
	Issuer string `json:"issuer"`
	// Audience is the aud of the access tokens that it issues.
	Audience string `json:"audience"`
	// RedirectURI is where it sends a browser after sign-in; nobody listens.
	RedirectURI string `json:"redirect_uri"`

	process *process.Process
	stdin   io.Closer
}

// Start starts the provider on a free port of loopback and returns when it
// answers. dir is the project's testdata/record, seen from the working
// directory. The provider ends with Close, and with this process at the latest.
func Start(ctx context.Context, dir string) (*Provider, error) {
	if err := installed(dir); err != nil {
		return nil, err
	}
	cmd := exec.Command("node", "serve.mjs")
	cmd.Dir = dir
	said, complaints := &firstLine{line: make(chan []byte, 1)}, &process.Tail{}
	cmd.Stdout, cmd.Stderr = said, complaints
	stdin, err := cmd.StdinPipe() // it ends when this does, on every platform
	if err != nil {
		return nil, fmt.Errorf("start the OpenID provider: %w", err)
	}
	child, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start the OpenID provider: %w", err)
	}
	p := &Provider{process: child, stdin: stdin}
	if err := p.awaitReady(ctx, said); err != nil {
		p.Close()
		return nil, fmt.Errorf("start the OpenID provider: %w: %s", err, complaints)
	}
	return p, nil
}

// Close ends the provider and returns when it is gone.
func (p *Provider) Close() {
	p.process.Kill() // it holds nothing worth a goodbye
	p.stdin.Close()
}

func (p *Provider) awaitReady(ctx context.Context, said *firstLine) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case line := <-said.line:
		if err := json.Unmarshal(line, p); err != nil {
			return fmt.Errorf("its first line is not what serve.mjs writes: %w", err)
		}
		return nil
	case <-p.process.Done():
		return fmt.Errorf("it ended before it was ready: %w", p.process.Err())
	case <-ctx.Done():
		return fmt.Errorf("it is not ready: %w", ctx.Err())
	}
}

// firstLine is a writer that hands on the first line and drops the rest.
type firstLine struct {
	buf  []byte
	line chan []byte // holds one
	sent bool
}

// Write never fails.
func (f *firstLine) Write(p []byte) (int, error) {
	if f.sent {
		return len(p), nil
	}
	f.buf = append(f.buf, p...)
	if line, _, whole := bytes.Cut(f.buf, []byte("\n")); whole {
		f.line <- line
		f.sent = true
	}
	return len(p), nil
}

func installed(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "serve.mjs")); err != nil {
		return fmt.Errorf("no OpenID provider in %s: %w", dir, err)
	}
	_, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider"))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("npm package oidc-provider is not installed in %s: run `make setup`", dir)
	}
	return err
}
