package gateway

// restRequest is a REST API's REQUEST authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
type restRequest struct{}

func (restRequest) event(s *Stage, c *call) any {
	event := restEvent(s, c)
	event["type"] = "REQUEST"
	event["methodArn"] = c.arn
	event["requestContext"] = restContext(s, c)
	return event
}

func (restRequest) result(answer []byte) (*result, error) {
	return flat(readPolicyAnswer(answer))
}
