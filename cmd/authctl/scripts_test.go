package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lambda-authorizer/cmd/authctl/doctor/doctortest"
)

// The scripts of validate, explain and doctor. $TESTDATA has the recorded
// tokens and keys, $AT is when they were recorded, and AWS is the files that
// doctor's own tests have.
//
//	go test ./cmd/authctl -run Commands -update
func TestCommandsThatReadOnly(t *testing.T) {
	t.Parallel()
	gateway := httptest.NewServer(doctortest.New("doctor/testdata"))
	t.Cleanup(gateway.Close)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/scripts",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			for name, path := range map[string]string{"TESTDATA": recordings, "DOCTOR": "doctor/testdata"} {
				absolute, err := filepath.Abs(path)
				if err != nil {
					return err
				}
				e.Setenv(name, absolute)
			}
			for name, value := range map[string]string{
				"AT":    recordedAt(t).Format(time.RFC3339),
				"TOKEN": recordedToken(t, "valid"), "READER": recordedToken(t, "read-only"),
				"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
				"AWS_ENDPOINT_URL": gateway.URL, "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
			} {
				e.Setenv(name, value)
			}
			return nil
		},
	})
}
