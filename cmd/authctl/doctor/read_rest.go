package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// defaultTTL is API Gateway's where an authorizer does not say.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html
const defaultTTL = 300 * time.Second

// pageSize is the most that a page of a REST API's resources may hold.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetResources.html
const pageSize = 500

// ReadREST reads a REST API and one of its stages.
func ReadREST(ctx context.Context, client *apigateway.Client, id, stage string) (*API, error) {
	api := &API{Kind: REST, ID: id, Stage: stage, Region: client.Options().Region}
	for _, read := range []func(context.Context, *apigateway.Client, *API) error{
		readRESTAPI, readRESTAuthorizers, readMethods, readDeployment, readResponses,
	} {
		if err := read(ctx, client, api); err != nil {
			return nil, err
		}
	}
	return api, nil
}

func readRESTAPI(ctx context.Context, client *apigateway.Client, api *API) error {
	out, err := client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &api.ID})
	if err != nil {
		return err
	}
	api.Name = aws.ToString(out.Name)
	api.KeySource = string(out.ApiKeySource)
	api.ResourcePolicy = plainPolicy(aws.ToString(out.Policy))
	if e := out.EndpointConfiguration; e != nil {
		api.Private = slices.Contains(e.Types, types.EndpointTypePrivate)
	}
	return nil
}

func readRESTAuthorizers(ctx context.Context, client *apigateway.Client, api *API) error {
	return pages(func(position *string) (*string, error) {
		out, err := client.GetAuthorizers(ctx, &apigateway.GetAuthorizersInput{
			RestApiId: &api.ID, Position: position, Limit: aws.Int32(pageSize),
		})
		if err != nil {
			return nil, err
		}
		for _, a := range out.Items {
			api.Authorizers = append(api.Authorizers, restAuthorizer(a))
		}
		return out.Position, nil
	})
}

func restAuthorizer(a types.Authorizer) Authorizer {
	out := Authorizer{
		ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Type: string(a.Type),
		URI: aws.ToString(a.AuthorizerUri), TTL: defaultTTL,
		Validation: aws.ToString(a.IdentityValidationExpression),
	}
	if a.AuthorizerResultTtlInSeconds != nil {
		out.TTL = time.Duration(*a.AuthorizerResultTtlInSeconds) * time.Second
	}
	for source := range strings.SplitSeq(aws.ToString(a.IdentitySource), ",") {
		if source = strings.TrimSpace(source); source != "" {
			out.IdentitySources = append(out.IdentitySources, source)
		}
	}
	return out
}

func readMethods(ctx context.Context, client *apigateway.Client, api *API) error {
	all := apigateway.NewGetResourcesPaginator(client, &apigateway.GetResourcesInput{
		RestApiId: &api.ID, Embed: []string{"methods"}, Limit: aws.Int32(pageSize),
	})
	for all.HasMorePages() {
		page, err := all.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			for verb, m := range r.ResourceMethods {
				api.Methods = append(api.Methods, Method{
					Route:         verb + " " + aws.ToString(r.Path),
					Authorization: aws.ToString(m.AuthorizationType),
					AuthorizerID:  aws.ToString(m.AuthorizerId),
					ID:            aws.ToString(r.Id),
					KeyRequired:   aws.ToBool(m.ApiKeyRequired),
					Mock:          m.MethodIntegration != nil && m.MethodIntegration.Type == types.IntegrationTypeMock,
				})
			}
		}
	}
	byRoute(api.Methods)
	return nil
}

// readDeployment reads what the stage serves: a change to an API is in force
// only from its next deployment.
func readDeployment(ctx context.Context, client *apigateway.Client, api *API) error {
	stage, err := client.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &api.ID, StageName: &api.Stage})
	if err != nil {
		return err
	}
	deployment, err := client.GetDeployment(ctx, &apigateway.GetDeploymentInput{
		RestApiId: &api.ID, DeploymentId: stage.DeploymentId, Embed: []string{"apisummary"},
	})
	if err != nil {
		return err
	}
	for path, verbs := range deployment.ApiSummary {
		for verb, m := range verbs {
			api.Deployed = append(api.Deployed, Method{
				Route: verb + " " + path, Authorization: aws.ToString(m.AuthorizationType), KeyRequired: m.ApiKeyRequired,
			})
		}
	}
	byRoute(api.Deployed)
	return nil
}

func readResponses(ctx context.Context, client *apigateway.Client, api *API) error {
	return pages(func(position *string) (*string, error) {
		out, err := client.GetGatewayResponses(ctx, &apigateway.GetGatewayResponsesInput{
			RestApiId: &api.ID, Position: position, Limit: aws.Int32(pageSize),
		})
		if err != nil {
			return nil, err
		}
		for _, r := range out.Items {
			api.Responses = append(api.Responses, GatewayResponse{
				Type: string(r.ResponseType), StatusCode: aws.ToString(r.StatusCode),
				Parameters: r.ResponseParameters, Templates: r.ResponseTemplates,
			})
		}
		return out.Position, nil
	})
}

// pages calls read with the position that the page before it ended at, until
// there is none.
func pages(read func(position *string) (*string, error)) error {
	var position *string
	for {
		next, err := read(position)
		if err != nil || aws.ToString(next) == "" {
			return err
		}
		position = next
	}
}

// byRoute sorts by path, then method, whatever order they came in.
func byRoute(methods []Method) {
	key := func(m Method) string {
		verb, path, _ := strings.Cut(m.Route, " ")
		return path + " " + verb
	}
	slices.SortFunc(methods, func(a, b Method) int { return strings.Compare(key(a), key(b)) })
}

// plainPolicy takes off the escapes that API Gateway returns a resource policy
// with: {\"Version\":…
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
func plainPolicy(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), `{\"`) {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\/`, `/`).Replace(text)
	}
	return text
}
