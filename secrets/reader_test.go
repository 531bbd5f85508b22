package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/reason"
	"lambda-authorizer/secrets"
)

func TestSecretIsReadByNameAndByARN(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "prod/keys", "a=1")
	out, err := s.client.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String("prod/keys")})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prod/keys", *out.ARN, (*out.ARN)[:len(*out.ARN)-7]} {
		if got := get(t, s.reader(name), "a"); got != "1" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestRegionComesFromTheARN(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.server.Region = "us-west-2"
	s.create(t, "theirs", "b=2")
	out, err := s.client.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String("theirs")})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Region = "eu-central-1"
	s.create(t, "ours", "a=1")
	s.asked = nil
	r := s.reader("ours", *out.ARN)
	if a, b := get(t, r, "a"), get(t, r, "b"); a != "1" || b != "2" {
		t.Errorf("a is %q, b is %q", a, b)
	}
	slices.Sort(s.asked)
	if want := []string{"eu-central-1", "us-west-2"}; !slices.Equal(s.asked, want) {
		t.Errorf("requests were signed for %q, want %q", s.asked, want)
	}
}

func TestNothingIsReachedBeforeTheFirstRecordIsWanted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	if s.loads.Load() != 0 || s.reads.Load() != 0 {
		t.Fatal("a reader that nobody asked has been busy")
	}
	get(t, r, "a")
	get(t, r, "a")
	if s.loads.Load() != 1 || s.reads.Load() != 1 {
		t.Errorf("%d configurations loaded, %d reads, want one each", s.loads.Load(), s.reads.Load())
	}
}

func TestConfigurationThatFailedIsLoadedAgain(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	tries := 0
	working := s.clients
	s.clients = secrets.NewClients(func(ctx context.Context) (aws.Config, error) {
		if tries++; tries == 1 {
			return aws.Config{}, errors.New("no credentials")
		}
		return aws.Config{Region: "eu-central-1", BaseEndpoint: s.client.Options().BaseEndpoint, Credentials: s.client.Options().Credentials}, nil
	}, once)
	r := s.reader("keys")
	if _, _, err := r.Get(t.Context(), "a"); !errors.Is(err, reason.SecretsUnavailable) {
		t.Fatalf("Get = %v", err)
	}
	s.advance(30 * time.Second)
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
	if _, err := working.For(t.Context(), "keys"); err != nil {
		t.Error(err)
	}
}

func TestSecretIsReadAgainWhenItIsOld(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.put(t, "keys", "a=2")
	s.advance(5*time.Minute - time.Nanosecond)
	if got := get(t, r, "a"); got != "1" || s.reads.Load() != 1 {
		t.Errorf("just before: %q after %d reads", got, s.reads.Load())
	}
	s.advance(time.Nanosecond)
	if got := get(t, r, "a"); got != "2" || s.reads.Load() != 2 {
		t.Errorf("then: %q after %d reads", got, s.reads.Load())
	}
	if e := s.events.last(t); e.Cause != "expired" || e.Secret != "keys" || e.Err != nil || e.Records != 1 || !e.Started.Equal(s.Now()) {
		t.Errorf("event %+v", e)
	}
}

func TestClockThatWasSetBackMakesNothingYounger(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.put(t, "keys", "a=2")
	s.advance(-time.Hour)
	if got := get(t, r, "a"); got != "2" {
		t.Errorf("a is %q", got)
	}
}

func TestMissingRecordCausesAReadAtMostEvery30Seconds(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	look := func(id string) string {
		t.Helper()
		if got := get(t, r, id); got != "" {
			return got
		}
		if err := r.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		return get(t, r, id)
	}
	look("a")
	s.put(t, "keys", "a=1\nb=2")
	if got := look("b"); got != "2" || s.reads.Load() != 2 {
		t.Fatalf("a new record: %q after %d reads; a read for another cause must not delay it", got, s.reads.Load())
	}
	s.put(t, "keys", "a=1\nb=2\nc=3")
	for n := range 1000 {
		if got := look(fmt.Sprint("random", n)); got != "" {
			t.Fatalf("an unknown id is %q", got)
		}
	}
	s.advance(30*time.Second - time.Nanosecond)
	if got := look("c"); got != "" || s.reads.Load() != 2 {
		t.Errorf("within 30 s: %q after %d reads", got, s.reads.Load())
	}
	s.advance(time.Nanosecond)
	if got := look("c"); got != "3" || s.reads.Load() != 3 {
		t.Errorf("after 30 s: %q after %d reads", got, s.reads.Load())
	}
	if e := s.events.last(t); e.Cause != "not_found" {
		t.Errorf("event %+v", e)
	}
}

func TestSecretsAreMergedAndAnIDInTwoOfThemIsNobodys(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "one", "a=1\nboth=1")
	s.create(t, "two", "b=2\nboth=2")
	s.create(t, "three", "c=3\nboth=3")
	r := s.reader("one", "two", "three")
	for id, want := range map[string]string{"a": "1", "b": "2", "c": "3", "both": ""} {
		if got := get(t, r, id); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	var told []string
	for _, e := range s.events.all {
		for _, err := range e.Skipped {
			told = append(told, e.Secret+": "+err.Error())
		}
		if e.SkippedCount != len(e.Skipped) || e.Err != nil {
			t.Errorf("event %+v", e)
		}
	}
	want := []string{"two: both is in secret one too, neither is used", "three: both is in secret one too, neither is used"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	s.put(t, "two", "b=2")
	s.put(t, "three", "c=3")
	if err := r.Renew(t.Context()); err != nil || get(t, r, "both") != "1" {
		t.Errorf("both is %q once it is repaired, %v", get(t, r, "both"), err)
	}
}

func TestSkippedRecordsAreToldOfUpTo20(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1\n"+strings.Repeat("bad\n", 25))
	r := s.reader("keys")
	get(t, r, "a")
	if e := s.events.last(t); len(e.Skipped) != 20 || e.SkippedCount != 25 || e.Records != 1 {
		t.Errorf("%d told, %d counted, %d records", len(e.Skipped), e.SkippedCount, e.Records)
	}
	s.advance(5 * time.Minute)
	get(t, r, "a")
	if e := s.events.last(t); e.SkippedCount != 25 {
		t.Errorf("the same version, read again, has %d bad records", e.SkippedCount)
	}
}

func TestPreviousVersionCountsForItsGrace(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "hmac", "default=1")
	r := s.readerWith(secrets.Options{PreviousGrace: time.Hour}, "hmac")
	versions := func() string {
		t.Helper()
		all, err := r.Versions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, records := range all {
			out = append(out, records["default"])
		}
		return strings.Join(out, " ")
	}
	if got := versions(); got != "1" {
		t.Errorf("at first: %s", got)
	}
	s.put(t, "hmac", "default=2")
	rotated := s.Now()
	s.advance(5 * time.Minute)
	if got := versions(); got != "2 1" {
		t.Errorf("after a rotation: %s", got)
	}
	s.advance(time.Hour - s.Now().Sub(rotated) - time.Nanosecond)
	if got := versions(); got != "2 1" {
		t.Errorf("at the end of the grace: %s", got)
	}
	before := s.reads.Load()
	s.advance(time.Nanosecond)
	if got := versions(); got != "2" || s.reads.Load() != before {
		t.Errorf("after the grace: %s, with %d reads for it", got, s.reads.Load()-before)
	}
	s.advance(5 * time.Minute)
	if got := versions(); got != "2" || s.reads.Load() != before+1 {
		t.Errorf("much later: %s; AWSPREVIOUS is still read", got)
	}
}

func TestPreviousVersionIsNeverReadWithoutAGrace(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	s.put(t, "keys", "b=2")
	r := s.reader("keys")
	all, err := r.Versions(t.Context())
	if err != nil || len(all) != 1 || all[0]["a"] != "" || s.reads.Load() != 1 {
		t.Errorf("Versions = %v, %v after %d reads", all, err, s.reads.Load())
	}
}

// A lookup costs the same for one secret of ten records and eight of 250.
func BenchmarkGet(b *testing.B) {
	for _, size := range []struct{ secrets, records int }{{1, 10}, {8, 250}} {
		b.Run(fmt.Sprintf("secrets=%d/records=%d", size.secrets, size.secrets*size.records), func(b *testing.B) {
			s := newService(b)
			var names []string
			for n := range size.secrets {
				var text strings.Builder
				for m := range size.records {
					fmt.Fprintf(&text, "id%d-%d=value\n", n, m)
				}
				names = append(names, fmt.Sprint("keys", n))
				s.create(b, names[n], text.String())
			}
			r := s.reader(names...)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := r.Get(b.Context(), "id0-7"); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
