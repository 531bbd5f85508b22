package secretsmanager_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/local/secretsmanager"
)

func TestBinaryValueComesBack(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	_, err := c.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: aws.String(name), SecretBinary: []byte{0, 255}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String(name)})
	if err != nil || !slices.Equal(out.SecretBinary, []byte{0, 255}) || out.SecretString != nil {
		t.Errorf("GetSecretValue = %+v, %v", out, err)
	}
}

func TestRequestThatIsNoCallIsRefused(t *testing.T) {
	t.Parallel()
	s := secretsmanager.New("eu-central-1", "123456789012")
	if err := s.Create(name, "one"); err != nil {
		t.Fatal(err)
	}
	for target, body := range map[string]string{
		"secretsmanager.GetSecretValue": `<html>`,
		"secretsmanager.DeleteSecret":   `{"SecretId":"` + name + `"}`,
		"secretsmanager.CreateSecret":   `{}`,
		"secretsmanager.PutSecretValue": `{"SecretId":"` + name + `","SecretString":"without a token"}`,
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", target)
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusBadRequest || !strings.Contains(recorder.Body.String(), "__type") {
			t.Errorf("%s %s: %d %s", target, body, recorder.Code, recorder.Body)
		}
	}
}

func TestSecretsAreListedWithTheirLabels(t *testing.T) {
	t.Parallel()
	c, s := client(t)
	_, one := create(t, c, "one")
	if err := s.Create("prod/other", "two"); err != nil {
		t.Fatal(err)
	}
	out, err := c.ListSecrets(t.Context(), &sdk.ListSecretsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range out.SecretList {
		names = append(names, *entry.Name)
	}
	if want := []string{name, "prod/other"}; !slices.Equal(names, want) {
		t.Errorf("listed %q, want %q", names, want)
	}
	if diff := cmp.Diff(map[string][]string{one: {"AWSCURRENT"}}, out.SecretList[0].SecretVersionsToStages); diff != "" {
		t.Errorf("SecretVersionsToStages (-want +got)\n%s", diff)
	}
}

// A version that lost its last label is deprecated: it is not listed unless
// asked for, and it can still be made current.
func TestVersionWithoutLabelCanBeMadeCurrentAgain(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	_, one := create(t, c, "one")
	put(t, c, "two")
	three := put(t, c, "three")
	count := func(deprecated bool) int {
		out, err := c.ListSecretVersionIds(t.Context(), &sdk.ListSecretVersionIdsInput{SecretId: aws.String(name), IncludeDeprecated: &deprecated})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Versions)
	}
	if labelled, all := count(false), count(true); labelled != 2 || all != 3 {
		t.Errorf("%d versions with a label, %d in all, want 2 and 3", labelled, all)
	}
	if err := move(c, t, "AWSCURRENT", one, three); err != nil {
		t.Fatal(err)
	}
	if cur, prev := staged(t, c, "AWSCURRENT"), staged(t, c, "AWSPREVIOUS"); cur != "one" || prev != "three" {
		t.Errorf("current %q, previous %q", cur, prev)
	}
}

func TestTwentyLabelsAreTheMost(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	_, one := create(t, c, "one")
	for n := range 19 {
		put(t, c, fmt.Sprint(n), fmt.Sprintf("writer-%d", n))
	}
	in := &sdk.PutSecretValueInput{SecretId: aws.String(name), SecretString: aws.String("x"), VersionStages: []string{"writer-19"}}
	if _, err := c.PutSecretValue(t.Context(), in); code(err) != "LimitExceededException" {
		t.Errorf("the 21st label on a new version: %v", err)
	}
	if err := move(c, t, "writer-19", one, ""); code(err) != "LimitExceededException" {
		t.Errorf("the 21st label on an old version: %v", err)
	}
	put(t, c, "a label in use moves", "writer-0")
}
