package items_test

import (
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
		location := created.header.Get("Location")
		if location != "/prod/items/"+item.ID || len(item.ID) != 26 {
			t.Errorf("Location %q for id %q", location, item.ID)
		}
		target := "/items/" + item.ID

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
