package items_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

func TestItemLivesFromPostToDelete(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		created := alice.do(t, "POST", "/items", `{"name":"lamp","description":"for the desk","metadata":{"colour":"red"}}`)
		if created.status != http.StatusCreated {
			t.Fatalf("POST: %d %s", created.status, created.body)
		}
		item := created.decode(t)
		target := "/items/" + item.ID
		if own := follow(t, "/prod", "/items", created.header.Get("Location")); own != target || len(item.ID) != 26 {
			t.Errorf("Location %q for id %q", created.header.Get("Location"), item.ID)
		}

		read := alice.do(t, "GET", target, "")
		if read.status != http.StatusOK || read.body != created.body || read.header.Get("ETag") != created.header.Get("ETag") {
			t.Errorf("GET: %d %s, ETag %s; POST said %s, ETag %s",
				read.status, read.body, read.header.Get("ETag"), created.body, created.header.Get("ETag"))
		}
		if got := read.header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		if listed := alice.do(t, "GET", "/items", "").decode(t); len(listed.Items) != 1 || listed.Items[0].ID != item.ID || listed.NextCursor != "" {
			t.Errorf("GET list: %+v", listed)
		}
		if gone := alice.do(t, "DELETE", target, ""); gone.status != http.StatusNoContent || gone.body != "" {
			t.Errorf("DELETE: %d %q", gone.status, gone.body)
		}
		for _, method := range []string{"GET", "DELETE"} {
			if a := alice.do(t, method, target, ""); a.status != http.StatusNotFound || a.code(t) != "item_not_found" {
				t.Errorf("%s after DELETE: %d %s", method, a.status, a.body)
			}
		}
		if listed := alice.do(t, "GET", "/items", ""); strings.TrimSpace(listed.body) != `{"items":[]}` {
			t.Errorf("list after DELETE: %s", listed.body)
		}
	})
}

func TestNoAnswerLeavesItsTypeToAGuess(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		for _, a := range []answer{
			alice.do(t, "POST", "/items", lamp),
			alice.do(t, "GET", "/items", ""),
			alice.do(t, "GET", "/items/"+missing, ""),
			alice.do(t, "GET", "/health", ""),
			alice.do(t, "GET", "/nowhere", ""),
			alice.withScopes("").do(t, "GET", "/items", ""),
		} {
			if got := a.header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%d %s: X-Content-Type-Options %q", a.status, a.body, got)
			}
		}
	})
}

func TestPutReplacesTheWholeItem(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		before := alice.do(t, "POST", "/items", `{"name":"lamp","description":"old","metadata":{"colour":"red"}}`).decode(t)
		put := alice.do(t, "PUT", "/items/"+before.ID, `{"name":"desk lamp"}`)
		if put.status != http.StatusOK {
			t.Fatalf("PUT: %d %s", put.status, put.body)
		}
		after := put.decode(t)
		if after.Name != "desk lamp" || after.Description != "" || after.Metadata != nil || after.ID != before.ID || !after.CreatedAt.Equal(before.CreatedAt) {
			t.Errorf("PUT answered %s after %+v", put.body, before)
		}
		if got := put.header.Get("ETag"); got != `"2"` {
			t.Errorf("ETag %s after the second version", got)
		}
		if read := alice.do(t, "GET", "/items/"+before.ID, ""); read.body != put.body {
			t.Errorf("GET %s, PUT answered %s", read.body, put.body)
		}
	})
}

func TestPatchMergesAsRFC7396Says(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		item := alice.do(t, "POST", "/items", `{"name":"lamp","description":"old","metadata":{"colour":"red","size":"small"}}`).decode(t)
		patched := alice.do(t, "PATCH", "/items/"+item.ID, `{"description":null,"metadata":{"size":null,"weight":"1 kg"}}`)
		got := patched.decode(t)
		want := map[string]string{"colour": "red", "weight": "1 kg"}
		if patched.status != http.StatusOK || got.Name != "lamp" || got.Description != "" || !maps.Equal(got.Metadata, want) {
			t.Errorf("PATCH: %d %s", patched.status, patched.body)
		}
		if strings.Contains(patched.body, "description") {
			t.Errorf("the removed description is still there: %s", patched.body)
		}
		if a := alice.do(t, "PATCH", "/items/"+item.ID, `{"metadata":null}`, "Content-Type", "application/json").decode(t); a.Metadata != nil {
			t.Errorf("metadata %v after null", a.Metadata)
		}
		for body, at := range map[string]string{
			`{"name":null}`: "#/name", `{"name":""}`: "#/name", `{"metadata":{"a":{"b":"c"}}}`: "#/metadata/a",
			`{"metadata":"x"}`: "#/metadata", `{"colour":"red"}`: "#/colour", `[]`: "#", `"x"`: "#", `null`: "#",
		} {
			a := alice.do(t, "PATCH", "/items/"+item.ID, body)
			if a.status != http.StatusUnprocessableEntity || len(a.decode(t).Errors) != 1 || a.decode(t).Errors[0].Pointer != at {
				t.Errorf("PATCH %s: %d %s, want 422 at %s", body, a.status, a.body, at)
			}
		}
	})
}

func TestPrincipalsNeverMeet(t *testing.T) {
	t.Parallel()
	s := newService(t)
	// Spellings that a careless key would mix up.
	owners := []string{"main|alice", "main|Alice", "other|alice", "main|alice#ITEM#", "main|alic", "api_key|alice", "main|alice "}
	ids := map[string]string{}
	for _, o := range owners {
		ids[o] = s.as(o).do(t, "POST", "/items", fmt.Sprintf(`{"name":%q}`, o), "Idempotency-Key", "the same for all").decode(t).ID
	}
	for _, o := range owners {
		listed := s.as(o).do(t, "GET", "/items", "").decode(t)
		if len(listed.Items) != 1 || listed.Items[0].ID != ids[o] || listed.Items[0].Name != o {
			t.Errorf("%q lists %+v", o, listed.Items)
		}
		for _, other := range owners {
			if other == o {
				continue
			}
			target := "/items/" + ids[other]
			for method, body := range map[string]string{"GET": "", "PUT": `{"name":"mine"}`, "PATCH": `{"name":"mine"}`, "DELETE": ""} {
				if a := s.as(o).do(t, method, target, body); a.status != http.StatusNotFound || a.code(t) != "item_not_found" {
					t.Errorf("%q: %s of %q's item: %d %s", o, method, other, a.status, a.body)
				}
			}
			if a := s.as(o).do(t, "PUT", target, `{"name":"mine"}`, "If-Match", `"1"`); a.status != http.StatusNotFound {
				t.Errorf("If-Match tells %q of %q's item: %d", o, other, a.status)
			}
		}
	}
}

func TestScopesAreCheckedAgain(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		id := alice.do(t, "POST", "/items", `{"name":"lamp"}`).decode(t).ID
		needs := map[string][][2]string{
			"items:read":  {{"GET", "/items"}, {"GET", "/items/" + id}},
			"items:write": {{"POST", "/items"}, {"PUT", "/items/" + id}, {"PATCH", "/items/" + id}, {"DELETE", "/items/" + id}},
		}
		for scope, requests := range needs {
			for _, other := range []string{"", "items", "items:readwrite items:writes", map[string]string{"items:read": "items:write", "items:write": "items:read"}[scope]} {
				for _, request := range requests {
					a := alice.withScopes(other).do(t, request[0], request[1], `{"name":"x"}`)
					if a.status != http.StatusForbidden || a.code(t) != "scope_insufficient" {
						t.Errorf("%s %s with scopes %q: %d %s", request[0], request[1], other, a.status, a.body)
					}
				}
			}
		}
		if a := alice.do(t, "GET", "/items/"+id, ""); a.status != http.StatusOK {
			t.Errorf("the item after all refusals: %d", a.status)
		}
	})
}
