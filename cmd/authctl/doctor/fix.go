package doctor

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"lambda-authorizer/problem"
)

// patch is one step of an update of a REST API.
// https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value string `json:"value,omitempty"`
}

// aws is a command line of the AWS CLI, quoted for a shell.
func (c *Case) aws(operation string, args ...string) string {
	service := "apigatewayv2"
	if c.API.Kind == REST {
		service = "apigateway"
	}
	words := []string{"aws", service, operation}
	if c.API.Region != "" {
		args = append(args, "--region", c.API.Region)
	}
	if c.EndpointURL != "" {
		args = append(args, "--endpoint-url", c.EndpointURL)
	}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	return strings.Join(words, " ")
}

func (c *Case) api() []string {
	if c.API.Kind == REST {
		return []string{"--rest-api-id", c.API.ID}
	}
	return []string{"--api-id", c.API.ID}
}

// setAuthorizer changes the authorizer: of a REST API by a patch, of others by
// a flag. A REST API has to be deployed afterwards, and a stage that is not
// deployed by itself too.
func (c *Case) setAuthorizer(p patch, flag ...string) []string {
	args := append(c.api(), "--authorizer-id", c.Authorizer.ID)
	if c.API.Kind == REST {
		args = append(args, patches(p)...)
	} else {
		args = append(args, flag...)
	}
	return c.deployed(c.aws("update-authorizer", args...))
}

// attach puts a method behind the authorizer.
func (c *Case) attach(m Method) []string {
	if c.API.Kind != REST {
		return c.deployed(c.aws("update-route", append(c.api(), "--route-id", m.ID,
			"--authorization-type", "CUSTOM", "--authorizer-id", c.Authorizer.ID)...))
	}
	verb, _, _ := strings.Cut(m.Route, " ")
	args := append(c.api(), "--resource-id", m.ID, "--http-method", verb)
	return c.deployed(c.aws("update-method", append(args, patches(
		patch{"replace", "/authorizationType", "CUSTOM"},
		patch{"replace", "/authorizerId", c.Authorizer.ID},
	)...)...))
}

func patches(all ...patch) []string {
	text, err := json.Marshal(all)
	if err != nil { // strings always marshal
		panic(err)
	}
	return []string{"--patch-operations", string(text)}
}

// deployed adds the command that puts a change into force.
func (c *Case) deployed(commands ...string) []string {
	if c.API.AutoDeploy {
		return commands
	}
	return append(commands, c.deploy())
}

func (c *Case) deploy() string {
	return c.aws("create-deployment", append(c.api(), "--stage-name", c.API.Stage)...)
}

// write is a line of the configuration, with its place.
func (c *Case) write(key, format string, args ...any) string {
	return c.Config.At(problem.At(key, format, args...)).String()
}

// seconds is a duration as the AWS CLI wants it.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted is a word as a POSIX shell reads it.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
