// Package doctortest answers the calls that doctor makes of API Gateway from
// files, over the wire. It is for tests; the files are written from the API
// models and come from no account.
package doctortest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// New serves the APIs in dir: one folder for each API id, one file for each
// operation, GetResources.json and so on. A page after the first is in
// GetResources.POSITION.json; GetStage has the stage in its name.
func New(dir string) http.Handler {
	s := server{dir}
	mux := http.NewServeMux()
	for pattern, operation := range map[string]string{
		"GET /restapis/{api}":                          "GetRestApi",
		"GET /restapis/{api}/authorizers":              "GetAuthorizers",
		"GET /restapis/{api}/resources":                "GetResources",
		"GET /restapis/{api}/stages/{stage}":           "GetStage",
		"GET /restapis/{api}/deployments/{deployment}": "GetDeployment",
		"GET /restapis/{api}/gatewayresponses":         "GetGatewayResponses",
		"GET /v2/apis/{api}":                           "GetApi",
		"GET /v2/apis/{api}/stages/{stage}":            "GetStage",
		"GET /v2/apis/{api}/authorizers":               "GetAuthorizers",
		"GET /v2/apis/{api}/routes":                    "GetRoutes",
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, operation) })
	}
	return mux
}

type server struct{ dir string }

// embeds are what must be asked for, or the real service leaves it out.
var embeds = map[string]string{"GetResources": "methods", "GetDeployment": "apisummary"}

func (s server) answer(w http.ResponseWriter, r *http.Request, operation string) {
	q := r.URL.Query()
	if embed := embeds[operation]; embed != "" && q.Get("embed") != embed {
		refuse(w, http.StatusBadRequest, "BadRequestException", "embed is not "+embed)
		return
	}
	name := operation
	for _, part := range []string{r.PathValue("stage"), r.PathValue("deployment"), q.Get("position") + q.Get("nextToken")} {
		if part != "" {
			name += "." + part
		}
	}
	text, err := os.ReadFile(filepath.Join(s.dir, r.PathValue("api"), name+".json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		refuse(w, http.StatusNotFound, "NotFoundException", "Invalid identifier specified")
	case err != nil:
		refuse(w, http.StatusInternalServerError, "InternalFailure", "no answer")
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	}
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
