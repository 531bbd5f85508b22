package config

import "strings"

// suggest returns the known name that a misspelt one was likely meant to be,
// or "".
func suggest(misspelt string, known []string) string {
	best, closest := "", 1+max(1, len(misspelt)/3)
	for _, name := range known {
		if d := distance(fold(misspelt), fold(name)); d < closest {
			best, closest = name, d
		}
	}
	return best
}

// didYouMean is suggest as the tail of a message.
func didYouMean(misspelt string, known []string) string {
	if name := suggest(misspelt, known); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

// fold makes cacheTTL, cache-ttl and cache_ttl one spelling.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s))
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between a and b (optimal string alignment). Only names are
// compared: a longer text is no misspelling.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			d[i][j] = min(replaced, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
