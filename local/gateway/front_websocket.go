package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// webSocket is a WebSocket API. What is let in is a connection that echoes.
type webSocket struct{}

func (webSocket) path(sent string) string { return sent }

// pick: a handshake comes to the stage itself and always is $connect.
func (webSocket) pick(r *routes, method, path string) (*route, params) {
	if method != http.MethodGet || path != "/" {
		return nil, nil
	}
	return r.keyed("$connect")
}

func (webSocket) prefixes() sourcePrefixes {
	return sourcePrefixes{"route.request.header.", "route.request.querystring.", "context.", "stageVariables."}
}

func (webSocket) failures() failures { return webSocketFailures }

// maxMessage is the largest message of a WebSocket API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxMessage = 128 << 10

// serve upgrades the connection and echoes until either side ends it. Where
// the client offers the subprotocol "bearer", it is chosen, as a $connect
// integration has to: the token beside it is never sent back.
func (webSocket) serve(s *Stage, w http.ResponseWriter, c *call) {
	if !s.sockets.add() {
		return
	}
	defer s.sockets.open.Done()
	s.mark(w, c)
	conn, err := websocket.Accept(w, c.request, &websocket.AcceptOptions{
		Subprotocols: offered(c.request.Header),
		// API Gateway checks no Origin; that is the authorizer's business.
		InsecureSkipVerify: true,
	})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	echo(s.closing, conn)
}

func offered(h http.Header) []string {
	for _, line := range h.Values("Sec-WebSocket-Protocol") {
		if slices.Contains(strings.Split(strings.ReplaceAll(line, " ", ""), ","), "bearer") {
			return []string{"bearer"}
		}
	}
	return nil
}

func echo(ctx context.Context, conn *websocket.Conn) {
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return
		}
	}
}

// sockets counts open connections, so that Close can wait for them.
type sockets struct {
	mu     sync.Mutex
	open   sync.WaitGroup
	closed bool
}

// add reports whether another connection may begin.
func (s *sockets) add() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.open.Add(1)
	}
	return !s.closed
}

func (s *sockets) wait() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.open.Wait()
}
