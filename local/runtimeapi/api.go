package runtimeapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer is the largest answer of a synchronous invocation, 6 MB.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxAnswer = 6 << 20

// errorTypeHeader and errorTypeTrailer name the error of a failed function and
// of one that failed while its answer was under way.
const (
	errorTypeHeader  = "Lambda-Runtime-Function-Error-Type"
	errorTypeTrailer = "Lambda-Runtime-Function-Error-Type"
)

// invocation is one event on its way through a process.
type invocation struct {
	id, trace string
	payload   []byte
	deadline  time.Time
	result    chan result // buffered for the one answer
}

type result struct {
	payload []byte
	err     error
}

func (s *sandbox) api() http.Handler {
	mux := http.NewServeMux()
	const root = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+root+"/invocation/next", s.next)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", s.response)
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST "+root+"/init/error", s.initError)
	return mux
}

// next answers when there is something to do, however long that takes.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	s.polledOnce.Do(func() { close(s.polled) })
	select {
	case i := <-s.work:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", functionARN(s.options.Name))
		h.Set("Lambda-Runtime-Trace-Id", i.trace)
		_, _ = w.Write(i.payload) // a process that hung up is seen to end
	case <-r.Context().Done():
	case <-s.serving.Done():
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (s *sandbox) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		s.answer(w, r, http.StatusRequestEntityTooLarge, result{err: &FunctionError{
			Type:    "Function.ResponseSizeTooLarge",
			Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxAnswer),
		}})
	case err != nil:
		s.answer(w, r, http.StatusBadRequest, result{err: &FunctionError{"Runtime.TruncatedResponse", err.Error()}})
	case r.Trailer.Get(errorTypeTrailer) != "":
		s.answer(w, r, http.StatusAccepted, result{err: &FunctionError{
			Type: r.Trailer.Get(errorTypeTrailer), Message: "failed while the answer was under way"}})
	default:
		s.answer(w, r, http.StatusAccepted, result{payload: body})
	}
}

func (s *sandbox) failure(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, http.StatusAccepted, result{err: readError(r)})
}

func (s *sandbox) initError(w http.ResponseWriter, r *http.Request) {
	err := readError(r)
	s.mu.Lock()
	s.initErr = err.Error()
	s.mu.Unlock()
	status(w, http.StatusAccepted, `{"status":"OK"}`)
}

// answer settles the invocation that the path names.
func (s *sandbox) answer(w http.ResponseWriter, r *http.Request, code int, res result) {
	i := s.take(r.PathValue("id"))
	if i == nil {
		status(w, http.StatusBadRequest, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
		return
	}
	i.result <- res
	status(w, code, `{"status":"OK"}`)
}

// readError reads the documented error object; a body that is none still is an
// error.
func readError(r *http.Request) *FunctionError {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	var said struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		said.Message = "error object is not JSON"
	}
	if said.Type == "" {
		said.Type = r.Header.Get(errorTypeHeader)
	}
	return &FunctionError{said.Type, said.Message}
}

func status(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}
