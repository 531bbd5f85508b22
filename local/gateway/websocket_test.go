package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"lambda-authorizer/local/gateway"
)

// dial opens a connection to the stage and returns it with the handshake's
// answer.
func dial(t *testing.T, w *world, headers http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return websocket.Dial(ctx, strings.Replace(server.URL, "http", "ws", 1)+"/test/?room=1", &websocket.DialOptions{
		HTTPHeader: headers, Subprotocols: protocols,
	})
}

func bearer() http.Header { return http.Header{"Authorization": {"Bearer abc"}} }

func TestWebSocketIsOpenedAndEchoes(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.WebSocket)
	conn, _, err := dial(t, w, bearer())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "hello" {
		t.Errorf("Read = %q, %v", got, err)
	}
}

func TestWebSocketEventIsAConnectWithoutAVerb(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.WebSocket)
	conn, _, err := dial(t, w, bearer())
	if err != nil {
		t.Fatal(err)
	}
	conn.CloseNow()
	e := w.asked[0]
	for name, want := range map[string]any{
		"type":                              "REQUEST",
		"methodArn":                         stageARN + "$connect",
		"queryStringParameters.room":        "1",
		"requestContext.routeKey":           "$connect",
		"requestContext.eventType":          "CONNECT",
		"requestContext.identity.sourceIp":  "127.0.0.1",
		"headers.Authorization":             "Bearer abc",
		"multiValueQueryStringParameters.a": nil,
		"pathParameters":                    nil,
		"httpMethod":                        nil,
	} {
		if got := path(e, strings.Split(name, ".")...); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

func TestWebSocketIsRefusedOnTheUpgrade(t *testing.T) {
	t.Parallel()
	large := `{"pad":"` + strings.Repeat("x", 8<<10) + `"}`
	for name, c := range map[string]struct {
		headers http.Header
		answer  func(map[string]any) (string, error)
		status  int
		message string
	}{
		"no identity source": {nil, nil, 401, "Unauthorized"},
		"unauthorized":       {bearer(), func(map[string]any) (string, error) { return "", functionError("Unauthorized") }, 401, "Unauthorized"},
		"denied":             {bearer(), func(map[string]any) (string, error) { return policy("Deny", "*", ""), nil }, 403, "Forbidden"},
		"stage/*/* does not match $connect": {bearer(),
			func(map[string]any) (string, error) { return policy("Allow", stageARN+"*/*", ""), nil }, 403, "Forbidden"},
		"fault":          {bearer(), func(map[string]any) (string, error) { return "", functionError("internal") }, 500, "Internal server error"},
		"over 8 KB":      {bearer(), func(e map[string]any) (string, error) { return policy("Allow", arnOf(e), large), nil }, 500, "Internal server error"},
		"nested context": {bearer(), func(e map[string]any) (string, error) { return policy("Allow", arnOf(e), `{"a":[]}`), nil }, 500, "Internal server error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := deploy(t, gateway.WebSocket)
			w.answer = c.answer
			conn, response, err := dial(t, w, c.headers)
			if err == nil {
				conn.CloseNow()
				t.Fatal("the connection was opened")
			}
			if response == nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			var said struct{ Message, ConnectionID, RequestID string }
			if err := json.Unmarshal(body, &said); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != c.status || said.Message != c.message || said.ConnectionID == "" || said.RequestID == "" {
				t.Errorf("%d %s, want %d %s", response.StatusCode, body, c.status, c.message)
			}
		})
	}
}

func TestWebSocketResultsAreNeverReused(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.WebSocket)
	for range 2 {
		conn, _, err := dial(t, w, bearer())
		if err != nil {
			t.Fatal(err)
		}
		conn.CloseNow()
	}
	w.askedTimes(2)
}

func TestSubprotocolBearerIsChosenAndTheTokenNeverSentBack(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.WebSocket, sources("route.request.header.Sec-WebSocket-Protocol"))
	conn, response, err := dial(t, w, nil, "bearer", "abc.def.ghi")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := response.Header.Get("Sec-WebSocket-Protocol"); got != "bearer" {
		t.Errorf("Sec-WebSocket-Protocol: %s", got)
	}
}

func TestOrdinaryRequestToAWebSocketAPIIsNoConnection(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.WebSocket)
	w.wants(426, "GET", "/test/", token)
	w.wants(403, "POST", "/test/", token)
	w.wants(403, "GET", "/test/other", token)
}

func TestCloseEndsOpenConnections(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.WebSocket)
	conn, _, err := dial(t, w, bearer())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	closed := make(chan error, 1)
	go func() {
		_, _, err := conn.Read(t.Context())
		closed <- err
	}()
	w.Close()
	if err := <-closed; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v after the stage closed", err)
	}
}
