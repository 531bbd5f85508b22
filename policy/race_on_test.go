//go:build race

package policy_test

// raceFactor: how much less random tests try under the race detector, which
// makes them slow and has nothing to find in them.
const raceFactor = 25
