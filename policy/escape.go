package policy

import (
	"slices"
	"strings"
)

// What follows is data: Denies against texts that no path of a configured
// route can hold, so that they can take nothing away. Match refuses them all.
// They are the same for every API, and say so, which is shorter. A wildcard
// for region and account is as documented, and here it does not matter that
// it may run on into the path.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html

// everyAPI is written before such a Deny, which speaks of API/STAGE/METHOD/PATH.
func everyAPI(partition string) string { return "arn:" + partition + ":execute-api:*:*:" }

// someAPI stands before the method where the data is looked at.
const someAPI = "api/stage/"

// oddity is a text that is no route's, and what a run must be to hold it.
type oddity struct {
	deny string
	runs []string
}

// oddities are what a backend may read as another path than the one that was
// decided on. What is left unsaid, since a Resource cannot say it, is an
// unpaired byte of UTF-8, a question mark, and in general an encoding of a
// character that needs none. What is left unsaid for its length, some 34 bytes
// for each Deny in every document: raw control characters, those of Latin-1
// encoded (%C2%80 to %C2%9F), and what is a slash, a backslash or a dot only to
// a backend that decodes twice (%252F). Unsaid tells users so.
var oddities = []oddity{
	{"*//*", []string{"/" + probe, probe + "//" + probe}},
	{"*/./*", []string{"./" + probe, "."}},
	{"*/../*", []string{"../" + probe, ".."}},
	{"*/.", []string{"."}},
	{"*/..", []string{".."}},
	{"*/*/*/?*/", []string{probe + "/"}}, // the root ends in a slash by right
	{`*\*`, []string{`\`}},
	{"*%2F*", []string{"%2F"}}, {"*%2f*", []string{"%2f"}},
	{"*%5C*", []string{"%5C"}}, {"*%5c*", []string{"%5c"}},
	{"*%2E*", []string{"%2E"}}, {"*%2e*", []string{"%2e"}},
}

// controls are written so in an encoded path.
var controls = []oddity{
	{"*%0?*", []string{"%00"}},
	{"*%1?*", []string{"%1F"}},
	{"*%7F*", []string{"%7F"}}, {"*%7f*", []string{"%7f"}},
}

// Unsaid is what a cached document may let through in the place of a
// parameter, though Match refuses it, whatever the table is.
func Unsaid(form PathForm) string {
	if form == Decoded {
		return "control characters"
	}
	return "control characters (raw, or %C2%80 to %C2%9F) and slashes, backslashes and dots encoded twice (%252F, %255C, %252E)"
}

// odd are the oddities of paths of the form.
func odd(form PathForm) []oddity {
	if form == Decoded {
		return oddities
	}
	return slices.Concat(oddities, controls)
}

// closeOddities adds each that an Allow takes in and no Deny closes yet.
func (p *planner) closeOddities() {
	for _, o := range odd(p.form) {
		if p.leaveOpen(o) {
			p.never = append(p.never, o.deny)
		}
	}
}

func (p *planner) leaveOpen(o oddity) bool {
	return slices.ContainsFunc(p.allow, func(a string) bool { return p.leavesOpen(a, o) })
}

// leavesOpen says whether an Allow takes in the oddity in one of its runs, of
// which the others are as short as can be.
func (p *planner) leavesOpen(allow string, o oddity) bool {
	parts := strings.Split(allow, someText)
	if i := strings.Index(allow, anyText); len(parts) == 1 && i >= 0 {
		parts = []string{allow[:i], allow[i+1:]}
	}
	for i := 1; i < len(parts); i++ {
		before, after := strings.Join(parts[:i], probe), strings.Join(parts[i:], probe)
		for _, run := range o.runs {
			text := before + run + after
			if matchText(o.deny, someAPI+text) && !takenByAny(p.deny, text) && !takenByAny(p.never, someAPI+text) {
				return true
			}
		}
	}
	return false
}

// closeSpellings adds Denies against unreserved characters in their encoding,
// for the letters of refused static segments that an Allow takes in.
// Characters that need no encoding have none in any path that Match accepts.
func (p *planner) closeSpellings() {
	for c := range p.letters().all() {
		for _, e := range escapes(c) {
			p.never = append(p.never, anyText+e+anyText)
		}
	}
}

func (p *planner) letters() letterSet {
	var letters letterSet
	if p.form == Decoded {
		return letters
	}
	for c := range p.kept.all() {
		for _, v := range p.o.of[c] {
			if v.owner != none && !p.granted.has(v.owner) && !letters.holds(v.letters) &&
				!takenByAny(p.deny, p.t.probeText(p.form, v.bare)) {
				letters.addAll(v.letters)
			}
		}
	}
	return letters
}
