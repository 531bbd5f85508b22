package reason

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestWhateverCarriesNoCodeIsAFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want Code
	}{
		{Revoked, Revoked},
		{fmt.Errorf("%w: by a subject entry", Revoked), Revoked},
		{fmt.Errorf("read: %w", fmt.Errorf("%w: table", RevocationUnavailable)), RevocationUnavailable},
		{fmt.Errorf("%w: %w", JWKSUnavailable, context.DeadlineExceeded), JWKSUnavailable},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), DeadlineExceeded},
		{context.Canceled, DeadlineExceeded},
		{errors.New("revoked"), Internal},
		{nil, Internal},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("Of(%v) is %s, want %s", c.err, got, c.want)
		}
	}
}

func TestACodeThatIsNotKnownIsAFault(t *testing.T) {
	t.Parallel()
	for _, c := range []Code{"", "allowed", "ok"} {
		if c.Status() != 500 {
			t.Errorf("%q is answered with %d", c, c.Status())
		}
	}
}

func TestOnlyFaultsComeFromDependencies(t *testing.T) {
	t.Parallel()
	n := 0
	for _, c := range All() {
		if s := c.Status(); s != 401 && s != 403 && s != 500 {
			t.Errorf("%s is answered with %d", c, s)
		}
		if c.Dependency() {
			if n++; c.Status() != 500 {
				t.Errorf("%s is a refusal and a dependency's fault", c)
			}
		}
	}
	if n != 6 || len(All()) != 47 {
		t.Errorf("%d of %d codes are dependencies' faults", n, len(All()))
	}
}
