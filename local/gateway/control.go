package gateway

import (
	"io"
	"net/http"
)

// Control answers the two calls of API Gateway's management APIs that flush an
// authorizer's cached results: FlushStageAuthorizersCache of REST APIs (202)
// and ResetAuthorizersCache of HTTP APIs (204). It checks no signature.
//
// https://docs.aws.amazon.com/apigateway/latest/api/API_FlushStageAuthorizersCache.html
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename-cache-authorizers.html
func Control(stages ...*Stage) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("DELETE /restapis/{api}/stages/{stage}/cache/authorizers", func(w http.ResponseWriter, r *http.Request) {
		flush(w, r, stages, http.StatusAccepted, RESTToken, RESTRequest)
	})
	mux.HandleFunc("DELETE /v2/apis/{api}/stages/{stage}/cache/authorizers", func(w http.ResponseWriter, r *http.Request) {
		flush(w, r, stages, http.StatusNoContent, HTTP1, HTTP2Simple, HTTP2IAM)
	})
	return mux
}

func flush(w http.ResponseWriter, r *http.Request, stages []*Stage, done int, kinds ...Kind) {
	for _, s := range stages {
		for _, kind := range kinds {
			if s.Kind == kind && s.API == r.PathValue("api") && s.Stage == r.PathValue("stage") {
				s.Flush()
				w.WriteHeader(done)
				return
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", "NotFoundException")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"message":"Invalid stage identifier specified"}`)
}
