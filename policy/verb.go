package policy

import "slices"

// verb is the index of an HTTP method in verbs.
type verb int

// verbs are the methods of API Gateway. ANY is each of them and no other: a
// method that is not here matches no route.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html
var verbs = [...]string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

// anyVerb stands for all of them in a template; connectVerb for a WebSocket
// connection, which has no method.
const (
	anyVerb     verb = -1
	connectVerb verb = -2
)

func verbOf(method string) (verb, bool) {
	i := slices.Index(verbs[:], method)
	return verb(i), i >= 0
}
