package secretsmanager_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/local/secretsmanager"
)

// client is AWS's own client of a stand-in without secrets.
func client(t *testing.T) (*sdk.Client, *secretsmanager.Server) {
	t.Helper()
	s := secretsmanager.New("eu-central-1", "123456789012")
	s.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		BaseEndpoint: aws.String(server.URL), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		Retryer:     aws.NopRetryer{},
	}), s
}

const name = "prod/api-keys"

func create(t *testing.T, c *sdk.Client, value string) (arn, version string) {
	t.Helper()
	out, err := c.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: aws.String(name), SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ARN, *out.VersionId
}

func put(t *testing.T, c *sdk.Client, value string, stages ...string) string {
	t.Helper()
	out, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{
		SecretId: aws.String(name), SecretString: &value, VersionStages: stages,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.VersionId
}

// staged reads the value under a label; "" where there is none.
func staged(t *testing.T, c *sdk.Client, stage string) string {
	t.Helper()
	out, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String(name), VersionStage: aws.String(stage)})
	if refused := new(types.ResourceNotFoundException); errors.As(err, &refused) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return *out.SecretString
}

func move(c *sdk.Client, t *testing.T, stage, to, from string) error {
	t.Helper()
	in := &sdk.UpdateSecretVersionStageInput{SecretId: aws.String(name), VersionStage: aws.String(stage)}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	_, err := c.UpdateSecretVersionStage(t.Context(), in)
	return err
}

// code is the error's name in the service's own words.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

func TestNewValueBecomesCurrentAndTheOldOnePrevious(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	create(t, c, "one")
	put(t, c, "two")
	put(t, c, "three")
	got := []string{staged(t, c, "AWSCURRENT"), staged(t, c, "AWSPREVIOUS")}
	if want := []string{"three", "two"}; !slices.Equal(got, want) {
		t.Errorf("current and previous are %q, want %q", got, want)
	}
}

func TestSecretIsFoundByNameAndByARN(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	arn, version := create(t, c, "one")
	for _, id := range []string{name, arn, arn[:len(arn)-7]} {
		out, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String(id)})
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if *out.Name != name || *out.ARN != arn || *out.VersionId != version || *out.SecretString != "one" || out.CreatedDate.Unix() != 1_800_000_000 {
			t.Errorf("%s: %+v", id, out)
		}
	}
}

func TestMissingSecretVersionOrLabelIsNotFound(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	_, version := create(t, c, "one")
	for what, in := range map[string]*sdk.GetSecretValueInput{
		"secret":           {SecretId: aws.String("other")},
		"version":          {SecretId: aws.String(name), VersionId: aws.String("other-version-of-32-characters-0")},
		"label":            {SecretId: aws.String(name), VersionStage: aws.String("AWSPREVIOUS")},
		"label of version": {SecretId: aws.String(name), VersionId: &version, VersionStage: aws.String("AWSPREVIOUS")},
	} {
		if _, err := c.GetSecretValue(t.Context(), in); code(err) != "ResourceNotFoundException" {
			t.Errorf("missing %s: %v", what, err)
		}
	}
}

func TestValueUnderAPrivateLabelChangesNothingUntilItIsMoved(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	_, one := create(t, c, "one")
	two := put(t, c, "two", "writer-1")
	if got := staged(t, c, "AWSCURRENT"); got != "one" {
		t.Fatalf("current is %q", got)
	}
	if err := move(c, t, "AWSCURRENT", two, one); err != nil {
		t.Fatal(err)
	}
	if cur, prev := staged(t, c, "AWSCURRENT"), staged(t, c, "AWSPREVIOUS"); cur != "two" || prev != "one" {
		t.Errorf("current %q, previous %q", cur, prev)
	}
}

// Of two operators who read the same version and write, the second is refused.
func TestSlowerWriterIsRefused(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	_, read := create(t, c, "read by both")
	fast := put(t, c, "fast", "writer-1")
	slow := put(t, c, "slow", "writer-2")
	if err := move(c, t, "AWSCURRENT", fast, read); err != nil {
		t.Fatal(err)
	}
	if err := move(c, t, "AWSCURRENT", slow, read); code(err) != "InvalidParameterException" {
		t.Errorf("second move: %v", err)
	}
	if got := staged(t, c, "AWSCURRENT"); got != "fast" {
		t.Errorf("current is %q", got)
	}
}

func TestLabelMovesOnlyAsDocumented(t *testing.T) {
	t.Parallel()
	const invalid, missing = "InvalidParameterException", "ResourceNotFoundException"
	for name, c := range map[string]struct {
		stage, to, from string // versions: one has AWSCURRENT, two has mine
		code            string
	}{
		"held elsewhere, not said so":  {"mine", "one", "", invalid},
		"held elsewhere, said wrongly": {"mine", "one", "one", invalid},
		"held elsewhere, said so":      {"mine", "one", "two", ""},
		"free":                         {"other", "one", "", ""},
		"free, but said to be held":    {"other", "one", "two", invalid},
		"held by the target already":   {"mine", "two", "", ""},
		"removed":                      {"mine", "", "two", ""},
		"current cannot be removed":    {"AWSCURRENT", "", "one", invalid},
		"neither to nor from":          {"mine", "", "", invalid},
		"no such version":              {"mine", "zero", "two", missing},
		"from no such version":         {"mine", "one", "zero", missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := client(t)
			ids := map[string]string{"": "", "zero": "a-version-that-nobody-ever-made-0"}
			_, ids["one"] = create(t, client, "one")
			ids["two"] = put(t, client, "two", "mine")
			if err := move(client, t, c.stage, ids[c.to], ids[c.from]); code(err) != c.code {
				t.Errorf("UpdateSecretVersionStage: %v, want %q", err, c.code)
			}
		})
	}
}

func TestDescriptionListsTheVersionsWithLabels(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	create(t, c, "gone")
	two := put(t, c, "two")
	three := put(t, c, "three")
	out, err := c.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{two: {"AWSPREVIOUS"}, three: {"AWSCURRENT"}}
	if diff := cmp.Diff(want, out.VersionIdsToStages); diff != "" {
		t.Errorf("VersionIdsToStages (-want +got)\n%s", diff)
	}
}

func TestRetriedWriteIsOneVersion(t *testing.T) {
	t.Parallel()
	c, _ := client(t)
	create(t, c, "one")
	write := func(value string) (string, error) {
		out, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{
			SecretId: aws.String(name), SecretString: &value, ClientRequestToken: aws.String("a-token-of-thirty-two-characters"),
		})
		if err != nil {
			return "", err
		}
		return *out.VersionId, nil
	}
	first, err := write("two")
	if err != nil {
		t.Fatal(err)
	}
	again, err := write("two")
	if err != nil || again != first {
		t.Errorf("the same write again: %s, %v", again, err)
	}
	if _, err := write("three"); code(err) != "ResourceExistsException" {
		t.Errorf("the same token with another value: %v", err)
	}
}

func TestWriteThatAWSRefusesIsRefused(t *testing.T) {
	t.Parallel()
	c, s := client(t)
	create(t, c, "one")
	if err := s.Create(name, "again"); err == nil {
		t.Error("a secret can be created twice")
	}
	for what, refused := range map[string]struct {
		in   *sdk.PutSecretValueInput
		code string
	}{
		"no value":    {&sdk.PutSecretValueInput{}, "InvalidParameterException"},
		"short token": {&sdk.PutSecretValueInput{SecretString: aws.String("x"), ClientRequestToken: aws.String("short")}, "InvalidParameterException"},
		"too large":   {&sdk.PutSecretValueInput{SecretString: aws.String(strings.Repeat("x", 65_537))}, "ValidationException"},
	} {
		refused.in.SecretId = aws.String(name)
		if _, err := c.PutSecretValue(t.Context(), refused.in); code(err) != refused.code {
			t.Errorf("%s: %v", what, err)
		}
	}
}
