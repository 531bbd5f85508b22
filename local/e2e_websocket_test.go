package local_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func (s *stack) dial(t *testing.T, token string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	headers := http.Header{}
	if token != "" {
		headers.Set("Authorization", "Bearer "+token)
	}
	return websocket.Dial(t.Context(), strings.Replace(s.URL(), "http", "ws", 1)+"/ws/", &websocket.DialOptions{HTTPHeader: headers})
}

func TestWebSocketOpensForACallerWhoMayConnect(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	conn, _, err := s.dial(t, s.token(t, "items:read"))
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
	got := s.decided(t, func(d decision) bool { return strings.HasSuffix(d.Principal, "|"+t.Name()) })
	if got.Outcome != "allow" || got.Event != "websocket" || got.Route != "$connect" {
		t.Errorf("decision line %+v", got)
	}
}

func TestWebSocketIsRefusedOnTheUpgrade(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"no token":        {"", 401},
		"junk":            {"junk", 401},
		"too few scopes":  {s.token(t, "items:write"), 403},
		"no scope at all": {s.token(t, ""), 403},
	} {
		conn, response, err := s.dial(t, c.token)
		switch {
		case err == nil:
			conn.CloseNow()
			t.Errorf("%s: the connection was opened", name)
		case response == nil:
			t.Errorf("%s: %v", name, err)
		case response.StatusCode != c.status:
			t.Errorf("%s: %d, want %d", name, response.StatusCode, c.status)
		}
	}
}
