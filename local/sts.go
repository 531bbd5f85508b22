package local

import (
	"fmt"
	"net/http"

	"lambda-authorizer/local/runtimeapi"
)

// operator is who the made-up credentials belong to.
const operator = "operator"

// callerIdentity answers GetCallerIdentity, the one call of STS that operators'
// tools make: it tells who revoked.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func callerIdentity(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
		`<Arn>arn:aws:iam::%[1]s:user/%[2]s</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>%[1]s</Account>`+
		`</GetCallerIdentityResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
		runtimeapi.Account, operator)
}
