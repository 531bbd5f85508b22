package secrets_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

// issuer signs with the key that is current.
type issuer struct {
	version int
	key     []byte
}

func (i issuer) text() string {
	return fmt.Sprintf(`{"keys":{"default":%q}}`, base64.StdEncoding.EncodeToString(i.key))
}

func newIssuer(version int) *issuer {
	return &issuer{version, bytes.Repeat([]byte{byte(version)}, 32)}
}

func mac(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("a token"))
	return h.Sum(nil)
}

// accepts does what a verifier of HS256 tokens does: hold the token against the
// keys, and once more against those of a newer reading.
func accepts(t *testing.T, keys hs256.Keys, signature []byte) bool {
	t.Helper()
	fits := func() bool {
		all, err := keys.Keys(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range all {
			if hmac.Equal(mac(key.Secret), signature) {
				return true
			}
		}
		return false
	}
	if fits() {
		return true
	}
	if err := keys.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	return fits()
}

func TestRotationUnderLoadRefusesNoValidToken(t *testing.T) {
	t.Parallel()
	const callers, tokens = 8, 3
	s := newService(t)
	first := newIssuer(1)
	s.create(t, "hmac", first.text())
	keys := hs256.Keys{From: secrets.NewReader([]string{"hmac"}, hs256.Parse, secrets.Options{
		Clients: s.clients, Now: s.Now, Refresh: 5 * time.Minute, PreviousGrace: time.Hour,
	})}
	var signing atomic.Pointer[issuer]
	signing.Store(first)
	var served [callers][4]atomic.Int64 // tokens of each version
	stop := make(chan struct{})
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				i := signing.Load()
				if !accepts(t, keys, mac(i.key)) {
					t.Errorf("a token of version %d is refused", i.version)
					return
				}
				served[caller][i.version].Add(1)
			}
		})
	}
	// Once every caller has used a version none is about to use an older one.
	wait := func(version int) {
		for caller := range callers {
			for served[caller][version].Load() < tokens && !t.Failed() {
				time.Sleep(time.Millisecond)
			}
		}
	}
	wait(1)
	for version := 2; version <= 3; version++ {
		s.advance(31 * time.Second)
		next := newIssuer(version)
		s.put(t, "hmac", next.text())
		signing.Store(next)
		wait(version)
		if !accepts(t, keys, mac(newIssuer(version-1).key)) {
			t.Errorf("version %d is refused within its grace", version-1)
		}
	}
	if accepts(t, keys, mac(first.key)) {
		t.Error("a version before the previous one is accepted")
	}
	s.advance(time.Hour - time.Nanosecond)
	if !accepts(t, keys, mac(newIssuer(2).key)) {
		t.Error("the previous version is refused at the end of its grace")
	}
	s.advance(time.Nanosecond)
	if accepts(t, keys, mac(newIssuer(2).key)) {
		t.Error("the previous version is accepted after its grace")
	}
	close(stop)
	all.Wait()
}
