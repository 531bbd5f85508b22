package gateway

// restToken is a REST API's TOKEN authorizer: it sees one value and the ARN.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
type restToken struct{}

func (restToken) event(_ *Stage, c *call) any {
	return object{
		"type":               "TOKEN",
		"authorizationToken": c.identity[0],
		"methodArn":          c.arn,
	}
}

func (restToken) result(answer []byte) (*result, error) {
	return flat(readPolicyAnswer(answer))
}
