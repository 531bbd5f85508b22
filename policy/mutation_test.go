//go:build !race

// Single-threaded and slow under the race detector, which has nothing to find
// here.

package policy_test

import (
	"slices"
	"strings"
	"testing"
)

func TestDocumentIsRightForEveryPathAroundTheTable(t *testing.T) {
	t.Parallel()
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			v := s.play(t)
			for _, fault := range v.faults(20) {
				t.Error(fault)
			}
			var left []string
			for _, use := range v.reach.LeftOut {
				if r := s.routes[use.Route]; !slices.Contains(left, r) {
					left = append(left, r)
				}
			}
			if !slices.Equal(left, s.left) {
				t.Errorf("left out %q, want %q", left, s.left)
			}
			if t.Failed() {
				t.Log(v.iam)
			}
		})
	}
}

func TestCompilerThatForgetsAResourceIsSeenToFail(t *testing.T) {
	t.Parallel()
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			v := s.play(t)
			allows, denies, nevers := v.resources(t)
			forget := func(kind string, list []string, wrong func(without []string) change) {
				for i := range list {
					v.compile(t, wrong(slices.Delete(slices.Clone(list), i, i+1)))
					if len(v.faults(1)) == 0 {
						t.Errorf("without %s %s nothing is wrong: it is not needed, or the test cannot see it", kind, list[i])
					}
				}
			}
			forget("Allow", allows, func(without []string) change {
				return func(_, deny, never []string) ([]string, []string, []string) { return without, deny, never }
			})
			forget("Deny", denies, func(without []string) change {
				return func(allow, _, never []string) ([]string, []string, []string) { return allow, without, never }
			})
			forget("Deny of odd text", nevers, func(without []string) change {
				return func(allow, deny, _ []string) ([]string, []string, []string) { return allow, deny, without }
			})
		})
	}
}

func TestCompilerThatWidensAWildcardIsSeenToFail(t *testing.T) {
	t.Parallel()
	wider := map[string]func(string) string{
		"a last static segment": func(r string) string {
			if last := r[strings.LastIndexByte(r, '/')+1:]; last != "" && last != "?*" && last != "*" {
				return strings.TrimSuffix(r, last) + "?*"
			}
			return r
		},
		"what comes last": func(r string) string {
			if strings.HasSuffix(r, "*") {
				return r
			}
			return r + "*"
		},
		"the method":         func(r string) string { return "*" + r[strings.IndexByte(r, '/'):] },
		"the whole resource": func(string) string { return "*" },
	}
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			v := s.play(t)
			allows, _, _ := v.resources(t)
			for what, widen := range wider {
				for i, a := range allows {
					if widen(a) == a {
						continue
					}
					v.compile(t, func(allow, deny, never []string) ([]string, []string, []string) {
						allow = slices.Clone(allow)
						allow[i] = widen(a)
						return allow, deny, never
					})
					if len(v.faults(1)) == 0 {
						t.Errorf("%s: %s instead of %s, and nobody sees it", what, widen(a), a)
					}
				}
			}
		})
	}
}
