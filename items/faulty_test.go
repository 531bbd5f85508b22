package items_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"lambda-authorizer/items"
)

// fault is what a faulty table does with a call.
type fault int

const (
	none         fault = iota
	throttle           // answers that it is too busy, does nothing
	loseTheReply       // does it, and the connection breaks before the answer
	break500           // answers 500, does nothing
	outrun             // answers that another writer was faster, does nothing
	hang               // answers nothing until the client gives up
)

// faultyStore is a store whose calls to DynamoDB pass a network that decides
// about each: by operation (PutItem, …) and body. A read that is not consistent
// fails the test: no fault of the network would show it.
func faultyStore(t *testing.T, decide func(operation, body string) fault) *items.Store {
	t.Helper()
	target, err := url.Parse(server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if (operation == "GetItem" || operation == "Query") && !bytes.Contains(body, []byte(`"ConsistentRead":true`)) {
			t.Errorf("a read that is not consistent: %s %s", operation, body)
		}
		switch decide(operation, string(body)) {
		case none:
			forward.ServeHTTP(w, r)
		case throttle:
			awsError(w, http.StatusBadRequest, "ThrottlingException", "{}")
		case outrun:
			awsError(w, http.StatusBadRequest, "ConditionalCheckFailedException", `{"pk":{"S":"theirs"}}`)
		case break500:
			awsError(w, http.StatusInternalServerError, "InternalServerError", "{}")
		case loseTheReply:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case hang:
			<-r.Context().Done()
		}
	}))
	t.Cleanup(proxy.Close)
	return items.NewStore(client(proxy.URL), newTable(t))
}

func awsError(w http.ResponseWriter, status int, code, item string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no","Item":%s}`, code, item)
}
