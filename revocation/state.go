package revocation

import (
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// limits are what a decision needs of an entry. The cache holds them.
type limits struct {
	dated     bool // only tokens issued before notBefore
	notBefore time.Time
	expires   time.Time // zero: never
}

// revokes tells whether the entry refuses a credential issued at iat, zero
// where that is unknown. No entry, nil, refuses none.
func (l *limits) revokes(k Kind, iat, now time.Time) bool {
	if l == nil || !l.inForce(now) {
		return false
	}
	return !l.dated || !k.Dated() || iat.IsZero() || iat.Before(l.notBefore)
}

// inForce is false for an entry that has expired: DynamoDB deletes expired
// items within days, not at once.
func (l *limits) inForce(now time.Time) bool {
	return l.expires.IsZero() || !now.After(l.expires)
}

// decode reads the two attributes that limit an entry. One that is not a
// number does not limit: what somebody wrote by hand and got wrong revokes too
// much rather than nothing.
func decode(item map[string]types.AttributeValue) *limits {
	l := new(limits)
	l.notBefore, l.dated = seconds(item["not_before"])
	if at, ok := seconds(item["expires_at"]); ok {
		l.expires = at
	}
	return l
}

// The first and the last moment that a time is taken for: JSON tells years of
// four digits (RFC 3339), and the first must not be the zero time. Milliseconds
// in the place of seconds end up at the last.
const (
	firstMoment = -62135596799 // 0001-01-01T00:00:01Z
	lastMoment  = 253402300799 // 9999-12-31T23:59:59Z
)

// seconds reads epoch seconds, whole or not.
func seconds(v types.AttributeValue) (time.Time, bool) {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || math.IsNaN(f) {
		return time.Time{}, false
	}
	whole, part := math.Modf(max(firstMoment, min(lastMoment, f)))
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// ceil is t in whole epoch seconds, rounded so that an entry revokes rather
// more, rather longer.
func ceil(t time.Time) int64 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return s
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
