package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"lambda-authorizer/cmd/authctl/doctor"
	"lambda-authorizer/jwks"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	rest, http, authorizer, token string
	place                         place
}

func (t *tool) doctor() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor {--rest API/STAGE | --http API/STAGE}",
		Short: "compare a live API's settings with the configuration",
		Long: `Doctor reads an API and its authorizer from API Gateway and compares them with
the configuration of the function behind it: type, TTL, identity sources,
payload version and form of answers; which routes are behind the authorizer and
which are not; what the stage has deployed; gateway responses and the resource
policy of a REST API; how long tokens live. Each finding comes with the reason
why it matters and the command, or the line, that repairs it. Doctor itself
changes nothing.

It needs apigateway:GET on the API. The status is 1 where something is open
that should be closed (critical) or does not work as configured (error).`,
		Example: `  authctl doctor --rest a1b2c3d4e5/prod
  authctl doctor --http 'h1b2c3d4e5/$default' --token - <token.jwt`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.runDoctor(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.rest, "rest", "", "a REST `api/stage`")
	flags.StringVar(&f.http, "http", "", "an HTTP or WebSocket `api/stage`")
	flags.StringVar(&f.authorizer, "authorizer", "", "the `id` or name of the authorizer, where the API has several")
	flags.StringVar(&f.token, "token", "", "a `JWT` whose lifetime to compare with the TTL; - reads it from standard input")
	f.place.awsFlags(c)
	c.MarkFlagsMutuallyExclusive("rest", "http")
	c.MarkFlagsOneRequired("rest", "http")
	return c
}

func (t *tool) runDoctor(ctx context.Context, f doctorFlags) error {
	cfg, err := t.loadConfig()
	if err != nil {
		return err
	}
	c := &doctor.Case{Config: cfg, EndpointURL: t.endpointOf(f)}
	if c.TokenLifetime, err = t.lifetime(f.token); err != nil {
		return err
	}
	if c.API, err = f.read(ctx); err != nil {
		return err
	}
	var ambiguous bool
	c.Authorizer, ambiguous = c.API.Find(f.authorizer)
	others := strings.Join(c.API.LambdaAuthorizers(), ", ")
	switch {
	case ambiguous:
		return usage("the API has several Lambda authorizers: name one with --authorizer: %s", others)
	case c.Authorizer == nil && f.authorizer != "":
		return refused("the API has no authorizer %s; its Lambda authorizers: %s", f.authorizer, others)
	}
	r := newDiagnosis(c)
	if t.json {
		err = writeJSON(t.out, r, "  ")
	} else {
		t.printDiagnosis(r)
	}
	if err == nil && r.Refused() {
		return exit{status: exitRefused}
	}
	return err
}

// endpointOf is where the AWS calls go that are not to go to AWS. The AWS CLI
// does not read the environment for it before 2.13.
func (t *tool) endpointOf(f doctorFlags) string {
	service := "AWS_ENDPOINT_URL_APIGATEWAYV2"
	if f.rest != "" {
		service = "AWS_ENDPOINT_URL_API_GATEWAY"
	}
	url := f.place.endpoint
	for _, name := range []string{service, "AWS_ENDPOINT_URL"} {
		if value, ok := t.env(name); ok && url == "" {
			url = value
		}
	}
	return url
}

// lifetime is that of a token, which nobody has verified; zero without one.
func (t *tool) lifetime(token string) (time.Duration, error) {
	if token == "" {
		return 0, nil
	}
	if token == "-" {
		text, err := t.readSecret("token")
		if err != nil {
			return 0, err
		}
		token = text
	}
	said, err := jwks.Unverified(bare(token))
	switch {
	case err != nil:
		return 0, usage("--token is no token that any authorizer would accept: %v", err)
	case said.IssuedAt.IsZero():
		return 0, usage("the token has no iat, so its lifetime is not known")
	case !said.Expires.After(said.IssuedAt):
		return 0, usage("the token expires before it was issued")
	}
	return said.Expires.Sub(said.IssuedAt), nil
}

var apiStage = regexp.MustCompile(`^([A-Za-z0-9_-]{1,64})/(\$default|[A-Za-z0-9_-]{1,128})$`)

// read reads the API that a flag names.
func (f doctorFlags) read(ctx context.Context) (*doctor.API, error) {
	m := apiStage.FindStringSubmatch(f.rest + f.http)
	if m == nil {
		return nil, usage("an API is named api/stage, as in a1b2c3d4e5/prod or h1b2c3d4e5/$default")
	}
	a, err := f.place.account(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var api *doctor.API
	if f.rest != "" {
		client := apigateway.NewFromConfig(a.config, func(o *apigateway.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
		api, err = doctor.ReadREST(ctx, client, m[1], m[2])
	} else {
		client := apigatewayv2.NewFromConfig(a.config, func(o *apigatewayv2.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
		api, err = doctor.ReadHTTP(ctx, client, m[1], m[2])
	}
	if err == nil {
		return api, nil
	}
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == "NotFoundException" {
		return nil, refused("API Gateway has no %s (%s): check the id, the stage and the region %s", m[0], brief(err), a.config.Region)
	}
	return nil, failed("API Gateway could not be read (%s): check the credentials and the permission apigateway:GET, then run the same command again", brief(err))
}

// diagnosis is what doctor prints.
type diagnosis struct {
	API        apiInfo         `json:"api"`
	Authorizer *authorizerInfo `json:"authorizer"`
	doctor.Report
	Counts map[doctor.Severity]int `json:"counts"`
}

type apiInfo struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Stage string `json:"stage"`
}

type authorizerInfo struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	URI  string `json:"uri"`
}

func newDiagnosis(c *doctor.Case) *diagnosis {
	d := &diagnosis{
		API:    apiInfo{string(c.API.Kind), c.API.ID, c.API.Name, c.API.Stage},
		Report: doctor.Examine(c),
	}
	if a := c.Authorizer; a != nil {
		d.Authorizer = &authorizerInfo{a.ID, a.Name, a.Type, a.URI}
	}
	d.Counts = d.Count()
	return d
}

func (t *tool) printDiagnosis(d *diagnosis) {
	t.printf("%s API %s (%s), stage %s", d.API.Kind, d.API.ID, d.API.Name, d.API.Stage)
	if a := d.Authorizer; a != nil {
		t.printf(", %s authorizer %s (%s) %s", a.Type, a.Name, a.ID, function(a.URI))
	}
	t.printf("\n\n")
	for _, c := range d.Checks {
		if len(c.Findings) == 0 {
			t.printf("%-8s  %s: %s\n", "ok", c.Name, c.OK)
		}
		for _, f := range c.Findings {
			t.printf("%-8s  %s: %s\n          why: %s\n", string(f.Severity), c.Name, f.What, f.Why)
			for _, fix := range f.Fix {
				t.printf("          fix: %s\n", fix)
			}
		}
	}
	var counts []string
	for _, s := range []doctor.Severity{doctor.Critical, doctor.Error, doctor.Warning, doctor.Note} {
		if n := d.Counts[s]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if counts == nil {
		counts = []string{"nothing found"}
	}
	t.printf("\n%s\n", strings.Join(counts, ", "))
}

// function is the function in an authorizer's URI:
// arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations
func function(uri string) string {
	_, arn, ok := strings.Cut(uri, "/functions/")
	if !ok {
		return uri
	}
	return strings.TrimSuffix(arn, "/invocations")
}
