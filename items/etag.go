package items

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// etag is the entity tag of a version: strong, since a version has one
// representation.
func (i Item) etag() string { return `"` + strconv.FormatInt(i.Version, 10) + `"` }

// Conditions are a request's If-Match and If-None-Match. The zero Conditions
// always hold.
type Conditions struct{ match, noneMatch tags }

// tags is a list of entity tags as far as they can be ours.
type tags struct {
	present bool
	any     bool // "*"
	// versions that the listed tags name. A tag of another form names none.
	versions []int64
}

func (t tags) has(version int64) bool { return t.any || slices.Contains(t.versions, version) }

// matches says whether a version meets the If-Match.
func (c Conditions) matches(version int64) bool { return !c.match.present || c.match.has(version) }

// hold says whether a version meets c.
func (c Conditions) hold(version int64) bool {
	return c.matches(version) && !c.noneMatch.has(version)
}

// expression is c as a DynamoDB condition on an item that must exist.
func (c Conditions) expression() (string, map[string]types.AttributeValue) {
	terms := []string{"attribute_exists(pk)"}
	values := map[string]types.AttributeValue{}
	in := func(prefix string, versions []int64) string {
		names := make([]string, len(versions))
		for i, v := range versions {
			names[i] = prefix + strconv.Itoa(i)
			values[names[i]] = number(v)
		}
		return "version IN (" + strings.Join(names, ", ") + ")"
	}
	never := c.match.present && !c.match.any && len(c.match.versions) == 0 || c.noneMatch.any
	if never {
		return "attribute_exists(pk) AND attribute_not_exists(pk)", nil
	}
	if len(c.match.versions) > 0 {
		terms = append(terms, in(":m", c.match.versions))
	}
	if len(c.noneMatch.versions) > 0 {
		terms = append(terms, "NOT ("+in(":n", c.noneMatch.versions)+")")
	}
	if len(values) == 0 {
		values = nil
	}
	return strings.Join(terms, " AND "), values
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// maxTags is DynamoDB's bound on the operands of IN.
const maxTags = 100

var errTags = errors.New(`must be * or a list of entity tags like "3"`)

// parseTags reads the values of an If-Match (strong) or If-None-Match field,
// RFC 9110 sections 13.1.1 and 13.1.2. If-Match compares strongly: a weak tag
// matches nothing.
func parseTags(values []string, strong bool) (tags, error) {
	if len(values) == 0 {
		return tags{}, nil
	}
	t := tags{present: true}
	rest := strings.Trim(strings.Join(values, ","), " \t")
	if rest == "*" {
		t.any = true
		return t, nil
	}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		var weak bool
		if rest, weak = strings.CutPrefix(rest, "W/"); rest == "" || rest[0] != '"' {
			return tags{}, errTags
		}
		opaque, after, closed := strings.Cut(rest[1:], `"`)
		if !closed {
			return tags{}, errTags
		}
		if rest = strings.TrimLeft(after, " \t"); rest != "" && rest[0] != ',' {
			return tags{}, errTags
		}
		if v, ok := versionOf(opaque); ok && !(weak && strong) && !slices.Contains(t.versions, v) {
			t.versions = append(t.versions, v)
		}
	}
	if len(t.versions) > maxTags {
		return tags{}, fmt.Errorf("must list at most %d entity tags", maxTags)
	}
	return t, nil
}

func versionOf(opaque string) (int64, bool) {
	v, err := strconv.ParseInt(opaque, 10, 64)
	return v, err == nil && v > 0 && strconv.FormatInt(v, 10) == opaque
}
