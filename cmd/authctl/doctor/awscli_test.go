//go:build awscli

package doctor

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// The commands that findings come with are ones that the AWS CLI takes, all
// the way to the wire. It needs the command aws:
//
//	go test -tags awscli -run AWSCLI ./cmd/authctl/doctor
func TestAWSCLITakesEachFix(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	fixes := map[string]bool{}
	for _, kind := range []struct {
		sound   func(*testing.T) *Case
		changes []change
	}{{soundREST, restChanges}, {soundHTTP, httpChanges}} {
		for _, x := range kind.changes {
			c := kind.sound(t)
			c.EndpointURL = server.URL
			x.make(t, c)
			for _, check := range Examine(c).Checks {
				for _, f := range check.Findings {
					for _, fix := range f.Fix {
						fixes[fix] = strings.HasPrefix(fix, "aws ")
					}
				}
			}
		}
	}
	run := 0
	for fix, command := range fixes {
		if !command {
			continue
		}
		run++
		before := calls.Load()
		aws := exec.CommandContext(t.Context(), "sh", "-c", fix)
		aws.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_PAGER=",
			"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
		if out, err := aws.CombinedOutput(); err != nil || calls.Load() == before {
			t.Errorf("%s: %v, %d calls: %s", fix, err, calls.Load()-before, out)
		}
	}
	if run < 20 {
		t.Errorf("%d commands: that cannot be all", run)
	}
}
