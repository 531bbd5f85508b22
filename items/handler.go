package items

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/backend"
)

// Config is what New needs. Store, Cursors and Line are required.
type Config struct {
	Store   *Store
	Cursors CursorKeys
	// Line writes the line of each request.
	Line *backend.Line
	// CORS is who may call from a browser. The zero CORS: nobody.
	CORS CORS
	// Log takes faults. Default slog.Default().
	Log *slog.Logger
	// Timeout bounds the work on one request. Default 5 s; a deadline of the
	// context that comes sooner wins.
	Timeout time.Duration
}

type handler struct {
	store   *Store
	cursors CursorKeys
	log     *slog.Logger
}

// route answers a request. Its error is answered in its place.
type route func(http.ResponseWriter, *http.Request) error

func (h *handler) serve(f route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			h.fail(w, r, err)
		}
	})
}

// The scopes that the routes ask for.
const (
	ScopeRead  = "items:read"
	ScopeWrite = "items:write"
)

// New makes the service: the routes of items, behind backend.Protect, and
// GET /health, which is public.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	h := &handler{store: c.Store, cursors: c.Cursors, log: c.Log}
	read := func(f route) http.Handler { return backend.RequireScope(ScopeRead, h.serve(f)) }
	write := func(f route) http.Handler { return backend.RequireScope(ScopeWrite, h.serve(f)) }
	protect := func(next http.Handler) http.Handler {
		return backend.Protect(next, backend.Options{MaxBody: MaxBody, Log: c.Log})
	}

	mux := http.NewServeMux()
	resource(mux, protect, "/items", methods{
		http.MethodGet:  read(h.list),
		http.MethodPost: write(h.create),
	})
	resource(mux, protect, "/items/{id}", methods{
		http.MethodGet:    read(h.get),
		http.MethodPut:    write(h.replace),
		http.MethodPatch:  write(h.patch),
		http.MethodDelete: write(h.delete),
	})
	resource(mux, public, "/health", methods{http.MethodGet: h.serve(health)})
	lost := protect(h.serve(unknownPath))
	mux.Handle("/", lost)
	return within(c.Timeout, c.Line.Wrap(c.CORS.wrap(headers(clean(mux, lost))), routeOf))
}

type methods map[string]http.Handler

func public(next http.Handler) http.Handler { return next }

// resource registers what path answers to: its methods, OPTIONS, and 405 with
// Allow for the rest. OPTIONS tells nothing secret and comes from browsers
// without credentials, so it is outside of protect.
func resource(mux *http.ServeMux, protect func(http.Handler) http.Handler, path string, m methods) {
	names := append(slices.Collect(maps.Keys(m)), http.MethodOptions)
	if _, ok := m[http.MethodGet]; ok {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	allow := strings.Join(names, ", ")
	for method, next := range m {
		mux.Handle(method+" "+path, protect(next))
	}
	mux.HandleFunc(http.MethodOptions+" "+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.Handle(path, protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		backend.Problem{
			Code: "method_not_allowed", Status: http.StatusMethodNotAllowed,
			Detail: "This path takes " + allow + ".",
		}.Write(w, r)
	})))
}

// clean hands to lost what the mux would redirect: this service has one
// spelling for each path.
func clean(mux, lost http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != r.URL.Path {
			lost.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if id := backend.EventOf(r.Context()).RequestID; id != "" {
			w.Header().Set("X-Request-Id", id)
		}
		next.ServeHTTP(w, r)
	})
}

// answerTime is kept back from the invocation's deadline to answer 503 before
// Lambda ends the function.
const answerTime = 300 * time.Millisecond

func within(timeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deadline := time.Now().Add(timeout)
		if d, ok := r.Context().Deadline(); ok && d.Add(-answerTime).Before(deadline) {
			deadline = d.Add(-answerTime)
		}
		ctx, cancel := context.WithDeadline(r.Context(), deadline)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// routeOf names the route that served r by its pattern.
func routeOf(r *http.Request) string {
	switch {
	case r.Pattern == "" || r.Pattern == "/":
		return "none"
	case strings.Contains(r.Pattern, " "):
		return r.Pattern
	}
	return r.Method + " " + r.Pattern
}

func health(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func unknownPath(http.ResponseWriter, *http.Request) error {
	return backend.Problem{Code: "path_not_found", Status: http.StatusNotFound, Detail: "There is nothing at this path."}
}
