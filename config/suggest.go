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

// distance counts the insertions, deletions and replacements between a and b
// (Levenshtein). Only names are compared: a longer text is no misspelling.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
