package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSoundAPIsHaveNothingCriticalAndNoError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read func(*testing.T) *Case
		want []string
	}{
		"REST":      {soundREST, []string{"note routes without authorizer: GET /health has no authorizer and is not configured"}},
		"HTTP":      {soundHTTP, nil},
		"WebSocket": {soundWebSocket, []string{"note deployment: the stage does not deploy itself"}},
	} {
		r := Examine(c.read(t))
		if diff := cmp.Diff(c.want, said(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r.Refused() {
			t.Errorf("%s is refused", name)
		}
	}
}

func TestConnectWithoutAuthorizerIsFound(t *testing.T) {
	t.Parallel()
	c := soundWebSocket(t)
	c.API.method(t, "$connect").Authorization = "NONE"
	got := without(said(Examine(c)), "note deployment")
	if diff := cmp.Diff([]string{"critical configured routes: $connect is configured and has no authorizer"}, got); diff != "" {
		t.Error(diff)
	}
}

// A file may write its identity sources as the other kind of API does.
func TestSpellingOfIdentitySourcesDoesNotMatter(t *testing.T) {
	t.Parallel()
	c := soundREST(t)
	c.Config.Gateway.IdentitySources = []string{"$request.header.authorization"}
	if got := without(said(Examine(c)), "note"); len(got) > 0 {
		t.Errorf("found %q", got)
	}
}

func TestFixesStayWithTheStandIn(t *testing.T) {
	t.Parallel()
	c := soundREST(t)
	c.EndpointURL = "http://127.0.0.1:4566"
	c.Authorizer.TTL = time.Hour
	for _, check := range Examine(c).Checks {
		for _, f := range check.Findings {
			for _, fix := range f.Fix {
				if strings.HasPrefix(fix, "aws ") && !strings.HasSuffix(fix, " --endpoint-url http://127.0.0.1:4566") {
					t.Errorf("%s reaches a real account", fix)
				}
			}
		}
	}
}
