package policy_test

import (
	"flag"
	"strconv"
)

// rapidChecks is how many cases one rapid.Check tries.
func rapidChecks() int {
	n, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	if err != nil || n < 1 {
		return 1
	}
	return n
}
