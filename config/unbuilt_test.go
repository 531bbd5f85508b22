package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsNotBuiltYetIsRefusedLastAndByName(t *testing.T) {
	t.Parallel()
	path := write(t, complete(`api_keys: {secrets: [prod/api-keys]}
log: {principal: rot13}
gateway: {cache_ttl: 0s}
`))
	_, err := load(path, everything, []feature{{given("api_keys", func(c *Config) bool { return c.APIKeys != nil }), "remove the section"}})
	want := []string{
		"authorizer.yaml:2: log.principal: must be plain or hash",
		"authorizer.yaml:1: api_keys: is not built yet in this version: remove the section",
	}
	if diff := cmp.Diff(want, said(t, path, err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The list and the uncached configuration shrink together: what is built must
// leave it, and what is not must be in it.
func TestUncachedConfigurationAsksForAllThatIsNotBuiltYet(t *testing.T) {
	t.Parallel()
	c, err := load("../deploy/authorizer-uncached.yaml", everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range unbuilt {
		if f.used(c) == "" {
			t.Errorf("feature %d of the list (%s) is not asked for", i, f.instead)
		}
	}
	_, err = Load("../deploy/authorizer-uncached.yaml", everything)
	problems, _ := err.(Problems)
	if len(problems) != len(unbuilt) {
		t.Errorf("%d problems for %d features: %v", len(problems), len(unbuilt), err)
	}
}
