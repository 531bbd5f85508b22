package house_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lambda-authorizer/config"
)

// pages are what people read: their configurations must start, their links
// lead somewhere, and their sums be right.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "README.md", "DESIGN.md", "RUNBOOK.md", "CHANGELOG.md", "deploy/README.md", "deploy/terraform/README.md", "testdata/README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

func TestConfigurationsInTheDocsStart(t *testing.T) {
	tried := 0
	for name, text := range pages(t) {
		for _, m := range yamlBlock.FindAllStringSubmatchIndex(text, -1) {
			block := text[m[2]:m[3]]
			if !strings.Contains(block, "\ntables:") {
				continue // a part of a configuration, or no configuration
			}
			tried++
			if err := starts(t, block); err != nil {
				t.Errorf("%s:%d does not start: %v", name, 1+strings.Count(text[:m[0]], "\n"), err)
			}
		}
	}
	if tried < 9 {
		t.Errorf("%d configurations found, which are too few", tried)
	}
}

func starts(t *testing.T, text string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authorizer.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path, func(name string) (string, bool) {
		switch {
		case strings.HasSuffix(name, "ISSUER") || strings.HasSuffix(name, "_URI"):
			return "https://idp.example.com/", true
		case name == "AWS_REGION":
			return "eu-central-1", true
		}
		return strings.ToLower(name), true
	})
	return err
}

// table reads the rows below the one header that says this.
func table(t *testing.T, text string, header ...string) [][]string {
	t.Helper()
	_, after, ok := strings.Cut(text, "| "+strings.Join(header, " | ")+" |\n")
	if !ok {
		t.Fatalf("no table with the header %q", header)
	}
	body, _, _ := strings.Cut(after, "\n\n")
	var rows [][]string
	for _, line := range strings.Split(body, "\n")[1:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != len(header) {
			t.Fatalf("%q has %d cells, want %d", line, len(cells), len(header))
		}
		for n := range cells {
			cells[n] = strings.TrimSpace(cells[n])
		}
		rows = append(rows, cells)
	}
	return rows
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are those that GitHub gives a page's headings.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

func TestLinksInTheDocsLeadSomewhere(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(name), file)
			if file == "" {
				target = name
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", name, m[1])
			}
			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s: %s: no such heading", name, m[1])
			}
		}
	}
}

// filesNamed are the files of this project that the guides name in code.
var filesNamed = regexp.MustCompile("`((?:deploy|cmd|docs|testdata|httpsig|backend)/[\\w./-]+)")

func TestFilesThatTheDocsNameExist(t *testing.T) {
	for name, text := range pages(t) {
		if name == "CHANGELOG.md" {
			continue // it may speak of what was
		}
		for _, m := range filesNamed.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
}

func TestSumsOfTheCostPageAreRight(t *testing.T) {
	text := pages(t)["docs/cost.md"]
	price := map[string]string{}
	for _, row := range table(t, text, "price", "USD", "for") {
		price[row[1]] = strings.Fields(row[2])[0]
	}
	const header = "| what | count | price | for | USD |\n"
	if n := strings.Count(text, header); n != 2 {
		t.Fatalf("%d examples", n)
	}
	for n := range 2 {
		_, text, _ = strings.Cut(text, header)
		sum := 0.0
		for _, row := range table(t, header+text, "what", "count", "price", "for", "USD") {
			usd := number(t, row[4])
			if row[0] == "in all" {
				if cents(sum) != cents(usd) {
					t.Errorf("example %d: in all %v, and the rows are %.2f", n+1, usd, sum)
				}
				continue
			}
			if price[row[2]] != row[3] {
				t.Errorf("%s: there is no price of %s for %s", row[0], row[2], row[3])
			}
			want := number(t, row[1]) * number(t, row[2]) / number(t, row[3])
			if cents(want) != cents(usd) {
				t.Errorf("example %d, %s: %v, want %.4f", n+1, row[0], usd, want)
			}
			sum += usd
		}
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cents(usd float64) float64 { return math.Round(usd * 100) }
