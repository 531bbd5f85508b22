package items

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/oklog/ulid/v2"
)

// CursorKeys gives the keys that authenticate cursors, each of at least 32
// bytes: the first one signs, all of them verify.
type CursorKeys interface {
	CursorKeys(ctx context.Context) ([][]byte, error)
}

// A cursor is version || id || MAC in base64url: the id of the last item seen
// and an HMAC-SHA-256, cut to 128 bits, over version, owner and id. So it
// works for the principal it was given to and no other, and nobody can use it
// to look for ids. It holds nothing that must stay secret.
const (
	cursorVersion = 1
	cursorMAC     = 16
	cursorLength  = 1 + len(ulid.ULID{}) + cursorMAC
)

var errCursor = errors.New("not a cursor of this list")

func makeCursor(key []byte, owner string, last ulid.ULID) string {
	raw := append([]byte{cursorVersion}, last[:]...)
	return base64.RawURLEncoding.EncodeToString(append(raw, cursorCode(key, owner, last)...))
}

func parseCursor(keys [][]byte, owner, cursor string) (ulid.ULID, error) {
	// The decoder passes over line breaks; the length leaves no room for one.
	if len(cursor) != base64.RawURLEncoding.EncodedLen(cursorLength) {
		return ulid.ULID{}, errCursor
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != cursorLength || raw[0] != cursorVersion {
		return ulid.ULID{}, errCursor
	}
	last, code := ulid.ULID(raw[1:1+len(ulid.ULID{})]), raw[cursorLength-cursorMAC:]
	for _, key := range keys {
		if hmac.Equal(code, cursorCode(key, owner, last)) {
			return last, nil
		}
	}
	return ulid.ULID{}, errCursor
}

func cursorCode(key []byte, owner string, last ulid.ULID) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("items cursor"))
	mac.Write([]byte{cursorVersion})
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(owner))))
	mac.Write([]byte(owner))
	mac.Write(last[:])
	return mac.Sum(nil)[:cursorMAC]
}
