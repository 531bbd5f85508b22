package doctor

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// ReadHTTP reads an HTTP or WebSocket API and one of its stages.
func ReadHTTP(ctx context.Context, client *apigatewayv2.Client, id, stage string) (*API, error) {
	api := &API{Kind: HTTP, ID: id, Stage: stage, Region: client.Options().Region}
	for _, read := range []func(context.Context, *apigatewayv2.Client, *API) error{
		readHTTPAPI, readHTTPStage, readHTTPAuthorizers, readRoutes,
	} {
		if err := read(ctx, client, api); err != nil {
			return nil, err
		}
	}
	return api, nil
}

func readHTTPAPI(ctx context.Context, client *apigatewayv2.Client, api *API) error {
	out, err := client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &api.ID})
	if err != nil {
		return err
	}
	api.Name = aws.ToString(out.Name)
	if out.ProtocolType == types.ProtocolTypeWebsocket {
		api.Kind = WebSocket
	}
	return nil
}

func readHTTPStage(ctx context.Context, client *apigatewayv2.Client, api *API) error {
	out, err := client.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: &api.ID, StageName: &api.Stage})
	if err != nil {
		return err
	}
	api.AutoDeploy = aws.ToBool(out.AutoDeploy)
	return nil
}

func readHTTPAuthorizers(ctx context.Context, client *apigatewayv2.Client, api *API) error {
	return pages(func(next *string) (*string, error) {
		out, err := client.GetAuthorizers(ctx, &apigatewayv2.GetAuthorizersInput{ApiId: &api.ID, NextToken: next})
		if err != nil {
			return nil, err
		}
		for _, a := range out.Items {
			api.Authorizers = append(api.Authorizers, httpAuthorizer(api.Kind, a))
		}
		return out.NextToken, nil
	})
}

func httpAuthorizer(kind Kind, a types.Authorizer) Authorizer {
	out := Authorizer{
		ID: aws.ToString(a.AuthorizerId), Name: aws.ToString(a.Name), Type: string(a.AuthorizerType),
		URI: aws.ToString(a.AuthorizerUri), IdentitySources: a.IdentitySource,
		Payload: aws.ToString(a.AuthorizerPayloadFormatVersion),
		Simple:  aws.ToBool(a.EnableSimpleResponses),
	}
	switch {
	case kind == WebSocket: // keeps no results
	case a.AuthorizerResultTtlInSeconds != nil:
		out.TTL = time.Duration(*a.AuthorizerResultTtlInSeconds) * time.Second
	default:
		out.TTL = defaultTTL
	}
	return out
}

func readRoutes(ctx context.Context, client *apigatewayv2.Client, api *API) error {
	err := pages(func(next *string) (*string, error) {
		out, err := client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &api.ID, NextToken: next})
		if err != nil {
			return nil, err
		}
		for _, r := range out.Items {
			api.Methods = append(api.Methods, Method{
				Route:         aws.ToString(r.RouteKey),
				Authorization: string(r.AuthorizationType),
				AuthorizerID:  aws.ToString(r.AuthorizerId),
				ID:            aws.ToString(r.RouteId),
				KeyRequired:   aws.ToBool(r.ApiKeyRequired),
			})
		}
		return out.NextToken, nil
	})
	byRoute(api.Methods)
	return err
}
