package policy

import (
	"errors"
	"fmt"
	"strings"
)

// ARN is the execute-api ARN of a request, as methodArn or routeArn carries
// it: arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH. It
// holds the real path, never a template, so Path is a stranger's input.
type ARN struct {
	Partition, Region, Account, API, Stage string
	// Method is the verb. A WebSocket connection has none.
	Method string
	// Path is what follows STAGE/METHOD/, byte for byte: "" is the root. It
	// may hold raw colons. For a WebSocket connection it is $connect.
	Path string
}

const connectPath = "$connect"

// ParseARN splits an ARN without losing a byte of its path: String gives s
// back. The stages of console tests, null and *, are stages as any other.
// The error says which part is wrong and quotes nothing.
func ParseARN(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "execute-api" {
		return ARN{}, errors.New("not an execute-api ARN (arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH)")
	}
	r := strings.SplitN(p[5], "/", 3)
	if len(r) != 3 {
		return ARN{}, errors.New("ARN without API, stage and method or $connect")
	}
	a := ARN{Partition: p[1], Region: p[3], Account: p[4], API: r[0], Stage: r[1]}
	if err := a.checkParts(); err != nil {
		return ARN{}, err
	}
	if r[2] == connectPath {
		a.Path = connectPath
		return a, nil
	}
	method, path, slash := strings.Cut(r[2], "/")
	if !slash || !wordOf(method, isUpper) {
		return ARN{}, errors.New("ARN without METHOD/ after the stage")
	}
	a.Method, a.Path = method, path
	return a, nil
}

// checkParts refuses what no AWS ARN holds before the method. These parts
// stand in every Resource of a document: a wildcard or a policy variable
// among them would open more than the request's own stage.
func (a ARN) checkParts() error {
	for _, p := range []struct{ name, value string }{
		{"partition", a.Partition}, {"region", a.Region}, {"account", a.Account}, {"API id", a.API},
	} {
		if !wordOf(p.value, isName) {
			return fmt.Errorf("ARN with an empty or unusual %s", p.name)
		}
	}
	if a.Stage != "$default" && a.Stage != anyStage && !wordOf(a.Stage, isName) {
		return errors.New("ARN with an empty or unusual stage")
	}
	return nil
}

// String gives the ARN as API Gateway writes it.
func (a ARN) String() string {
	if a.WebSocket() {
		return a.stage() + a.Path
	}
	return a.stage() + a.Method + "/" + a.Path
}

// WebSocket says whether a is a connection to a WebSocket API.
func (a ARN) WebSocket() bool { return a.Method == "" }

// stage gives the part of the ARN up to and with the slash after the stage.
func (a ARN) stage() string {
	return "arn:" + a.Partition + ":execute-api:" + a.Region + ":" + a.Account + ":" + a.API + "/" + a.Stage + "/"
}

func wordOf(s string, ok func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isUpper(c) || 'a' <= c && c <= 'z' || isDigit(c) }

func isName(c byte) bool { return isAlnum(c) || c == '-' || c == '_' }
