package items_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is what the service must be like, with none of its means.
type model struct {
	owners map[string]*shelf
}

// shelf is one principal's items in order, and what each idempotency key made.
type shelf struct {
	order []string
	items map[string]*thing
	keys  map[string]made
}

type thing struct {
	Name        string
	Description string
	Metadata    map[string]string
	Version     int
}

type made struct {
	thing thing
	id    string
}

func (m *model) shelf(owner string) *shelf {
	if m.owners[owner] == nil {
		m.owners[owner] = &shelf{items: map[string]*thing{}, keys: map[string]made{}}
	}
	return m.owners[owner]
}

func (t thing) body() string {
	v := map[string]any{"name": t.Name}
	if t.Description != "" {
		v["description"] = t.Description
	}
	if t.Metadata != nil {
		v["metadata"] = t.Metadata
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func (t thing) same(name, description string, metadata map[string]string) bool {
	return t.Name == name && t.Description == description && maps.Equal(t.Metadata, metadata)
}

// merge is the algorithm of RFC 7396 section 2, word for word.
func merge(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	to, ok := target.(map[string]any)
	if !ok {
		to = map[string]any{}
	}
	for name, value := range p {
		if value == nil {
			delete(to, name)
		} else {
			to[name] = merge(to[name], value)
		}
	}
	return to
}

var (
	words  = rapid.SampledFrom([]string{"lamp", "chair", "ü", "<b>", "\u2028", `"\`, "x\ny"})
	things = rapid.Custom(func(t *rapid.T) thing {
		out := thing{Name: words.Draw(t, "name"), Description: rapid.OneOf(words, rapid.Just("")).Draw(t, "description")}
		if m := rapid.MapOfN(words, words, 0, 3).Draw(t, "metadata"); len(m) > 0 {
			out.Metadata = m
		}
		return out
	})
	patches = rapid.Custom(func(t *rapid.T) map[string]any {
		p := map[string]any{}
		if rapid.Bool().Draw(t, "has name") {
			p["name"] = words.Draw(t, "name")
		}
		switch rapid.IntRange(0, 2).Draw(t, "description is") {
		case 1:
			p["description"] = nil
		case 2:
			p["description"] = words.Draw(t, "description")
		}
		switch rapid.IntRange(0, 2).Draw(t, "metadata is") {
		case 1:
			p["metadata"] = nil
		case 2:
			m := map[string]any{}
			for _, k := range rapid.SliceOfN(words, 0, 3).Draw(t, "members") {
				if m[k] = words.Draw(t, "value"); rapid.Bool().Draw(t, "removed") {
					m[k] = nil
				}
			}
			p["metadata"] = m
		}
		return p
	})
)

func TestAnyRowOfRequestsIsAnsweredAsTheModelSays(t *testing.T) {
	t.Parallel()
	s := newService(t)
	rapid.Check(t, func(t *rapid.T) {
		r := &run{model: &model{owners: map[string]*shelf{}}, service: s, salt: server.TableName()}
		t.Repeat(map[string]func(*rapid.T){
			"create": r.create, "read": r.read, "list": r.list,
			"replace": r.replace, "patch": r.patch, "delete": r.delete,
		})
	})
}

// run is one row of requests. Its owners are its own, so all share a table.
type run struct {
	model   *model
	service service
	salt    string
}

func (r *run) someone(t *rapid.T) (caller, *shelf) {
	owner := rapid.SampledFrom([]string{"main|alice", "main|bob"}).Draw(t, "owner") + r.salt
	c := r.service.as(owner)
	c.v2 = rapid.Bool().Draw(t, "HTTP API")
	return c, r.model.shelf(owner)
}

// target is one of the owner's items or nobody's.
func (s *shelf) target(t *rapid.T) (id string, item *thing) {
	id = rapid.SampledFrom(append(slices.Clone(s.order), "01ARZ3NDEKTSV4RRFFQ69G5FAV", "no id")).Draw(t, "id")
	return id, s.items[id]
}

func (r *run) create(t *rapid.T) {
	c, s := r.someone(t)
	want := things.Draw(t, "item")
	key := rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(t, "key")
	var headers []string
	if key != "" {
		headers = []string{"Idempotency-Key", key}
	}
	a := c.do(t, "POST", "/items", want.body(), headers...)
	old, used := s.keys[key]
	switch {
	case used && !old.thing.same(want.Name, want.Description, want.Metadata):
		expect(t, a, http.StatusUnprocessableEntity)
		return
	case used:
		expect(t, a, http.StatusCreated)
		if got := a.decode(t); got.ID != old.id {
			t.Fatalf("key %s made %s, then %s", key, old.id, got.ID)
		}
		return
	}
	expect(t, a, http.StatusCreated)
	got := a.decode(t)
	if !want.same(got.Name, got.Description, got.Metadata) {
		t.Fatalf("sent %+v, got %s", want, a.body)
	}
	want.Version = 1
	s.order, s.items[got.ID] = append(s.order, got.ID), &want
	if key != "" {
		s.keys[key] = made{want, got.ID}
	}
}

func (r *run) read(t *rapid.T) {
	c, s := r.someone(t)
	id, item := s.target(t)
	a := c.do(t, "GET", "/items/"+url.PathEscape(id), "")
	if item == nil {
		expect(t, a, http.StatusNotFound)
		return
	}
	checkItem(t, a, item)
}

func (r *run) list(t *rapid.T) {
	c, s := r.someone(t)
	limit := rapid.IntRange(1, 4).Draw(t, "limit")
	var got []string
	for cursor := ""; ; {
		page, next := c.page(t, limit, cursor)
		got = append(got, page...)
		if cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, s.order) {
		t.Fatalf("listed %v, want %v", got, s.order)
	}
}

// condition draws an If-Match and says whether version meets it.
func condition(t *rapid.T, version int) (headers []string, met bool) {
	n := rapid.IntRange(-1, 3).Draw(t, "If-Match")
	if n < 0 {
		return nil, true
	}
	return []string{"If-Match", fmt.Sprintf(`"%d"`, n)}, n == version
}

func (r *run) replace(t *rapid.T) {
	c, s := r.someone(t)
	id, item := s.target(t)
	want := things.Draw(t, "item")
	r.write(t, c, "PUT", id, item, want.body(), func(item *thing) {
		item.Name, item.Description, item.Metadata = want.Name, want.Description, want.Metadata
	})
}

func (r *run) patch(t *rapid.T) {
	c, s := r.someone(t)
	id, item := s.target(t)
	patch := patches.Draw(t, "patch")
	body, _ := json.Marshal(patch)
	r.write(t, c, "PATCH", id, item, string(body), func(item *thing) {
		var before, after any
		_ = json.Unmarshal([]byte(item.body()), &before)
		encoded, _ := json.Marshal(merge(before, patch))
		_ = json.Unmarshal(encoded, &after)
		version := item.Version
		*item = thing{Version: version}
		_ = json.Unmarshal(encoded, item)
	})
}

func (r *run) write(t *rapid.T, c caller, method, id string, item *thing, body string, change func(*thing)) {
	version := 0
	if item != nil {
		version = item.Version
	}
	headers, met := condition(t, version)
	a := c.do(t, method, "/items/"+url.PathEscape(id), body, headers...)
	switch {
	case item == nil:
		expect(t, a, http.StatusNotFound)
	case !met:
		expect(t, a, http.StatusPreconditionFailed)
	default:
		change(item)
		item.Version++
		checkItem(t, a, item)
	}
}

func (r *run) delete(t *rapid.T) {
	c, s := r.someone(t)
	id, item := s.target(t)
	version := 0
	if item != nil {
		version = item.Version
	}
	headers, met := condition(t, version)
	a := c.do(t, "DELETE", "/items/"+url.PathEscape(id), "", headers...)
	switch {
	case item == nil:
		expect(t, a, http.StatusNotFound)
	case !met:
		expect(t, a, http.StatusPreconditionFailed)
	default:
		expect(t, a, http.StatusNoContent)
		delete(s.items, id)
		s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
	}
}

func checkItem(t *rapid.T, a answer, want *thing) {
	expect(t, a, http.StatusOK)
	got := a.decode(t)
	if !want.same(got.Name, got.Description, got.Metadata) || a.header.Get("ETag") != fmt.Sprintf(`"%d"`, want.Version) {
		t.Fatalf("%s, ETag %s; want %+v", a.body, a.header.Get("ETag"), *want)
	}
}

func expect(t *rapid.T, a answer, status int) {
	if a.status != status {
		t.Fatalf("%d %s, want %d", a.status, a.body, status)
	}
}
