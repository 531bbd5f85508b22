package items_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"lambda-authorizer/items"
)

// pagingItems is how many items are paged: -paging 10000 for the long run.
var pagingItems = flag.Int("paging", 500, "items to page through while others delete")

// fill makes n items and returns their ids in order.
func (c caller) fill(t tb, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range n {
		ids[i] = c.do(t, "POST", "/items", fmt.Sprintf(`{"name":"item %d"}`, i)).decode(t).ID
	}
	return ids
}

// page reads one page: ids and the next cursor.
func (c caller) page(t tb, limit int, cursor string) (ids []string, next string) {
	t.Helper()
	target := fmt.Sprintf("/items?limit=%d", limit)
	if cursor != "" {
		target += "&cursor=" + url.QueryEscape(cursor)
	}
	a := c.do(t, "GET", target, "")
	if a.status != 200 {
		t.Fatalf("GET %s: %d %s", target, a.status, a.body)
	}
	page := a.decode(t)
	for _, i := range page.Items {
		ids = append(ids, i.ID)
	}
	return ids, page.NextCursor
}

func TestPagingWhileOthersDeleteSkipsNoneAndRepeatsNone(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		const limit = 7
		total := *pagingItems
		ids := alice.fill(t, total)
		deleted, seen := map[string]bool{}, map[string]int{}
		cursor, position := "", 0
		for {
			got, next := alice.page(t, limit, cursor)
			for _, id := range got {
				seen[id]++
				if deleted[id] {
					t.Errorf("%s was deleted before its page was read", id)
				}
			}
			if next == "" {
				break
			}
			if len(got) != limit {
				t.Fatalf("a page of %d with another one after it", len(got))
			}
			cursor, position = next, position+limit
			// The last item seen, which the cursor names, one seen earlier,
			// and one that is still to come.
			for _, victim := range []string{got[limit-1], got[0], ids[min(total-1, position*3/2+3)]} {
				alice.do(t, "DELETE", "/items/"+victim, "")
				deleted[victim] = true
			}
		}
		for _, id := range ids {
			if seen[id] > 1 || seen[id] == 0 && !deleted[id] {
				t.Errorf("%s was seen %d times, deleted: %v", id, seen[id], deleted[id])
			}
		}
	})
}

func TestLastPageHasNoCursor(t *testing.T) {
	t.Parallel()
	alice := newService(t).as("main|alice")
	ids := alice.fill(t, 6)
	for _, limit := range []int{1, 2, 3, 6, 7, 100} {
		var got []string
		pages, cursor := 0, ""
		for {
			page, next := alice.page(t, limit, cursor)
			got, pages = append(got, page...), pages+1
			if cursor = next; next == "" {
				break
			}
		}
		if want := (6 + limit - 1) / limit; pages != want || fmt.Sprint(got) != fmt.Sprint(ids) {
			t.Errorf("limit %d: %d pages, %v; want %d, %v", limit, pages, got, want, ids)
		}
	}
}

func TestPageOfLargeItemsIsCutAndGoesOn(t *testing.T) {
	t.Parallel()
	alice := newService(t).as("main|alice")
	// Control characters need most room on the wire: \u0000 inside Lambda's
	// own JSON string, which may have 6 MB.
	body, err := json.Marshal(map[string]any{"name": "big", "metadata": map[string]string{"k": strings.Repeat("\x01", 10000)}})
	if err != nil {
		t.Fatal(err)
	}
	const total = 60
	for range total {
		if a := alice.do(t, "POST", "/items", string(body)); a.status != 201 {
			t.Fatalf("POST: %d %s", a.status, a.body)
		}
	}
	seen, pages, cursor := map[string]bool{}, 0, ""
	for {
		target := "/items?limit=100&cursor=" + cursor
		if cursor == "" {
			target = "/items?limit=100"
		}
		a := alice.do(t, "GET", target, "")
		if wire, _ := json.Marshal(a.body); len(wire) > 6<<20 {
			t.Fatalf("a page of %d bytes", len(wire))
		}
		page := a.decode(t)
		for _, i := range page.Items {
			seen[i.ID] = true
		}
		pages++
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(seen) != total || pages < 2 {
		t.Errorf("%d items on %d pages", len(seen), pages)
	}
}

func TestCursorCannotBeForgedNorLent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	alice, bob := s.as("main|alice"), s.as("main|bob")
	alice.fill(t, 3)
	bob.fill(t, 3)
	_, cursor := alice.page(t, 1, "")
	_, second := alice.page(t, 1, cursor)

	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	forged := map[string]string{
		"another principal's": "", "padded": cursor + "=", "cut": cursor[:len(cursor)-1], "longer": cursor + "AA",
		"no base64": "!!!!", "an id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "with a line break": cursor + "\n",
		"two halves": cursor[:22] + second[22:],
	}
	for i := range raw {
		changed := append([]byte{}, raw...)
		changed[i] ^= 1
		forged[fmt.Sprintf("byte %d changed", i)] = base64.RawURLEncoding.EncodeToString(changed)
	}
	for name, c := range forged {
		who := alice
		if c == "" {
			who, c = bob, cursor
		}
		a := who.do(t, "GET", "/items?cursor="+url.QueryEscape(c), "")
		if a.status != 400 || a.code(t) != "query_invalid" || a.decode(t).Errors[0].Parameter != "cursor" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestCursorOutlivesOneRotationOfItsKey(t *testing.T) {
	t.Parallel()
	keys := fixedKeys{[]byte(strings.Repeat("a", 32))}
	store := newStore(t)
	with := func(keys fixedKeys) caller {
		return newService(t, func(c *items.Config) { c.Store, c.Cursors = store, keys }).as("main|alice")
	}
	with(keys).fill(t, 2)
	_, cursor := with(keys).page(t, 1, "")
	rotated := fixedKeys{[]byte(strings.Repeat("b", 32)), keys[0]}
	if ids, _ := with(rotated).page(t, 1, cursor); len(ids) != 1 {
		t.Errorf("after a rotation: %v", ids)
	}
	gone := fixedKeys{[]byte(strings.Repeat("c", 32)), rotated[0]}
	if a := with(gone).do(t, "GET", "/items?cursor="+cursor, ""); a.status != 400 {
		t.Errorf("after two rotations: %d", a.status)
	}
}

func TestQueryOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		for _, query := range []string{
			"limit=0", "limit=101", "limit=-1", "limit=", "limit=x", "limit=1.0", "limit=01", "limit=%2B1", "limit=1&limit=2",
			"limit=99999999999999999999", "limit=1%00", "cursor=", "cursor=a&cursor=b",
		} {
			a := alice.do(t, "GET", "/items?"+query, "")
			if a.status != 400 || a.code(t) != "query_invalid" {
				t.Errorf("%s: %d %s", query, a.status, a.body)
			}
		}
		for _, query := range []string{"limit=1", "limit=100", "access_token=x", "colour=red"} {
			if a := alice.do(t, "GET", "/items?"+query, ""); a.status != 200 {
				t.Errorf("%s: %d %s", query, a.status, a.body)
			}
		}
	})
}
