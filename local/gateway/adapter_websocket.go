package gateway

import "fmt"

// webSocketRequest is a WebSocket API's authorizer: REQUEST, $connect only.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
type webSocketRequest struct{}

// maxWebSocketResult is the largest authorizer result of a WebSocket API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxWebSocketResult = 8 << 10

func (webSocketRequest) event(s *Stage, c *call) any {
	event := restEvent(s, c)
	for _, name := range []string{"resource", "path", "httpMethod", "pathParameters"} {
		delete(event, name)
	}
	event["type"] = "REQUEST"
	event["methodArn"] = c.arn
	event["requestContext"] = webSocketContext(s, c)
	return event
}

func (webSocketRequest) result(answer []byte) (*result, error) {
	if len(answer) > maxWebSocketResult {
		return nil, fmt.Errorf("a result of %d bytes, at most %d", len(answer), maxWebSocketResult)
	}
	return flat(readPolicyAnswer(answer))
}

func webSocketContext(s *Stage, c *call) object {
	return object{
		"apiId":             s.API,
		"connectedAt":       c.received.UnixMilli(),
		"connectionId":      c.connection,
		"domainName":        c.domain(),
		"eventType":         "CONNECT",
		"extendedRequestId": c.id,
		"identity":          object{"sourceIp": c.sourceIP(), "userAgent": c.request.UserAgent()},
		"messageDirection":  "IN",
		"requestId":         c.id,
		"requestTime":       c.time(),
		"requestTimeEpoch":  c.received.UnixMilli(),
		"routeKey":          "$connect",
		"stage":             s.Stage,
	}
}
