package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"lambda-authorizer/reason"
)

// A key is written ak_<id>_<secret><check>.
const (
	prefix = "ak_"
	// digits are those of base 62, in the order of their value.
	digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// secretLength is that of 256 bits in base 62.
	secretLength = 43
	// checkLength is that of 32 bits in base 62.
	checkLength = 6
	maxID       = 32
	// newIDLength gives 62 bits, so that two ids never meet.
	newIDLength = 12
)

// Presented is a key as a client presented it: well-formed, and nothing more.
type Presented struct {
	// ID names the key. It may be logged.
	ID string
	// sum is that of the secret. It stands for it from here on.
	sum *[sha256.Size]byte
}

// LooksLike reports whether a credential is meant to be an API key. Then it is
// judged as one, however malformed.
func LooksLike(credential string) bool { return strings.HasPrefix(credential, prefix) }

// Parse takes a key apart and verifies its check, so that a mistyped key is
// refused without a lookup. The error is CredentialMalformed and quotes
// nothing.
func Parse(text string) (Presented, error) {
	id, rest, found := strings.Cut(strings.TrimPrefix(text, prefix), "_")
	switch {
	case !LooksLike(text) || !found:
		return Presented{}, malformed("it is not of the form ak_<id>_<secret><check>")
	case !ValidID(id):
		return Presented{}, malformed("its id is not 1 to 32 of a-z and 0-9")
	case len(rest) != secretLength+checkLength:
		return Presented{}, malformed(fmt.Sprintf("%d characters follow its id, not %d", len(rest), secretLength+checkLength))
	case !isBase62(rest):
		return Presented{}, malformed("what follows its id is not all of 0-9, A-Z and a-z")
	}
	body, check := text[:len(text)-checkLength], text[len(text)-checkLength:]
	if checksum(body) != check {
		return Presented{}, malformed("its check does not match: it is mistyped or cut")
	}
	return Presented{ID: id, sum: sum(rest[:secretLength])}, nil
}

func malformed(what string) error {
	return fmt.Errorf("%w: API key: %s", reason.CredentialMalformed, what)
}

// ValidID reports whether id is 1 to 32 of a-z and 0-9.
func ValidID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isBase62(text string) bool {
	for _, c := range []byte(text) {
		if strings.IndexByte(digits, c) < 0 {
			return false
		}
	}
	return true
}

// checksum is the CRC-32/IEEE of text in base 62, most significant digit
// first, padded to six.
func checksum(text string) string {
	n := crc32.ChecksumIEEE([]byte(text))
	var out [checkLength]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = digits[n%62]
		n /= 62
	}
	return string(out[:])
}

// sum is over the secret's ASCII characters alone. A slow hash would buy
// nothing: nobody guesses 256 random bits.
func sum(secret string) *[sha256.Size]byte {
	s := sha256.Sum256([]byte(secret))
	return &s
}

// Generated is a new key. Text is the only place where its secret ever is.
type Generated struct {
	Text string
	// sum is what the record keeps.
	sum *[sha256.Size]byte
}

var errNoID = errors.New("an API key's id is 1 to 32 of a-z and 0-9")

// Generate makes a key with this id, from crypto/rand.
func Generate(id string) (Generated, error) {
	if !ValidID(id) {
		return Generated{}, errNoID
	}
	secret := random(secretLength, digits)
	body := prefix + id + "_" + secret
	return Generated{Text: body + checksum(body), sum: sum(secret)}, nil
}

// NewID makes an id that no other key has.
func NewID() string { return random(newIDLength, "0123456789abcdefghijklmnopqrstuvwxyz") }

// random draws n characters, each as likely as any other.
func random(n int, alphabet string) string {
	fair := byte(256 / len(alphabet) * len(alphabet))
	out := make([]byte, 0, n)
	for buf := make([]byte, 2*n); len(out) < n; {
		_, _ = rand.Read(buf) // never fails
		for _, b := range buf {
			if b < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
