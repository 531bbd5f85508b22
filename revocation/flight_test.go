package revocation_test

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

func TestWhatWasReadIsBelievedOnlyWhileBothClocksSaySo(t *testing.T) {
	t.Parallel()
	const ttl = 5 * time.Second
	for name, c := range map[string]struct {
		monotonic, wall time.Duration
		want            bool
	}{
		"just read":                             {0, 0, true},
		"a moment before the end":               {ttl - 1, ttl - 1, true},
		"at the end":                            {ttl, ttl, false},
		"frozen: the monotonic clock stood":     {time.Millisecond, ttl, false},
		"the wall clock was set back a little":  {ttl, ttl - 1, false},
		"the wall clock was set back before it": {time.Millisecond, -1, false},
	} {
		if got := revocation.Young(c.monotonic, c.wall, ttl); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A check that waits for a read which an outage fails, while its own read lacks
// a permission, is refused: on_error is not about permissions.
func TestJoinedOutageDoesNotCoverAMissingPermission(t *testing.T) {
	t.Parallel()
	api := revocation.Credential{Kind: revocation.KindAPIKey, ID: "k"}
	signing := revocation.Credential{Kind: revocation.KindSigningKey, ID: "s"}
	for name, creds := range map[string][]revocation.Credential{
		"the outage first": {api, signing}, "the permission first": {signing, api},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newChecker(t, &script{answers: []func() (*dynamodb.BatchGetItemOutput, error){
					func() (*dynamodb.BatchGetItemOutput, error) {
						time.Sleep(500 * time.Millisecond)
						return nil, io.ErrUnexpectedEOF
					},
					func() (*dynamodb.BatchGetItemOutput, error) {
						return nil, &smithy.GenericAPIError{Code: "AccessDeniedException"}
					},
				}}, allowing())
				var first sync.WaitGroup
				first.Go(func() {
					_, err := c.Check(t.Context(), api)
					want(t, "the check whose read the outage fails", err, nil)
				})
				time.Sleep(100 * time.Millisecond)
				res, err := c.Check(t.Context(), creds...)
				want(t, "the check that joins it", err, reason.RevocationUnavailable)
				if res.Joined != 1 || res.Reads != 1 {
					t.Errorf("%d joined, %d reads", res.Joined, res.Reads)
				}
				first.Wait()
			})
		})
	}
}
