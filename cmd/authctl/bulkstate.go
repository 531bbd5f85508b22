package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// journal is the state file of a bulk: what is settled, so that the same
// command goes on after a stop. It is written line by line and only ever
// appended to, so a kill costs at most the last line. It holds line numbers,
// sums and errors, never an id or a token.
type journal struct {
	path    string
	file    *os.File
	written time.Time
	pending bytes.Buffer // failures not yet written
	broken  bool
}

// origin is the first line: the run that the rest belongs to.
type origin struct {
	Command string `json:"command"`
	Table   string `json:"table"`
	Region  string `json:"region"`
	// Account is empty where AWS was not asked for it.
	Account string `json:"account,omitempty"`
	// Flags is a sum over the flags that say what is written, the issuers that
	// they may mean, and the endpoint it is written to.
	Flags string `json:"flags"`
	// Started stays that of the first run: what --before now means.
	Started time.Time `json:"started"`
}

// same tells whether two runs do the same at the same place: a table of that
// name is in every Region. When they began does not count.
func (o origin) same(p origin) bool {
	p.Started = o.Started
	if o.Account == "" || p.Account == "" {
		p.Account = o.Account
	}
	return o == p
}

// counts is what a bulk has done.
type counts struct {
	Created  int `json:"created"`
	Extended int `json:"extended"`
	Kept     int `json:"kept"`
	Expired  int `json:"expired"`
	Deleted  int `json:"deleted"`
	Absent   int `json:"absent"`
	Failed   int `json:"failed"`
}

// point is how far a bulk has come: Next records are settled, the last of
// which begins on Line, and Sum is over them.
type point struct {
	Next int    `json:"next"`
	Line int    `json:"line"`
	Sum  string `json:"sum"`
	counts
}

// failure is a record that could not be done.
type failure struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// journalLine is any line but the first.
type journalLine struct {
	Failed *failure `json:"failed,omitempty"`
	Done   *point   `json:"done,omitempty"`
}

// left is what an earlier run has left behind.
type left struct {
	origin   origin
	point    point
	failures []failure
}

// readJournal is nil where there is none. Failures behind the last point are
// dropped: their records will come again.
func readJournal(path string) (*left, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usage("the state file cannot be read: %v", err)
	}
	l := new(left)
	var open []failure
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, 1<<20)
	for first := true; scan.Scan(); first = false {
		if first {
			if json.Unmarshal(scan.Bytes(), &l.origin) != nil || l.origin.Command == "" {
				return nil, usage("%s is no state file of authctl: name another with --state", path)
			}
			continue
		}
		var line journalLine
		if json.Unmarshal(scan.Bytes(), &line) != nil {
			continue // cut off by a kill
		}
		if line.Failed != nil {
			open = append(open, *line.Failed)
		}
		if line.Done != nil && line.Done.Next >= l.point.Next {
			l.point, l.failures, open = *line.Done, append(l.failures, open...), nil
		}
	}
	if l.point.Next == 0 {
		return nil, nil // nothing was done: there is nothing to go on with
	}
	return l, nil
}

// openJournal goes on with what was left, or begins anew. What a kill cut off
// goes.
func openJournal(path string, o origin, l *left) (*journal, error) {
	j := &journal{path: path}
	if path == "" {
		return j, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, usage("the state file cannot be written: %v; name another with --state", err)
	}
	j.file = f
	if l == nil {
		j.line(o)
	} else {
		j.line(l.origin)
		for _, failed := range l.failures {
			j.line(journalLine{Failed: &failed})
		}
		j.line(journalLine{Done: &l.point})
	}
	if err := os.Rename(f.Name(), path); err != nil || j.broken {
		f.Close()
		_ = os.Remove(f.Name()) // the error below says enough
		return nil, usage("the state file %s cannot be written; name another with --state", path)
	}
	return j, nil
}

func (j *journal) line(v any) {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = j.file.Write(append(data, '\n'))
	}
	j.broken = j.broken || err != nil
}

// every is how much time of work a kill may cost.
const every = 200 * time.Millisecond

// settled notes progress, now and then or when it must.
func (j *journal) settled(p point, f *failure, now time.Time, must bool) {
	if j.file == nil {
		return
	}
	if f != nil {
		data, err := json.Marshal(journalLine{Failed: f})
		j.broken = j.broken || err != nil
		j.pending.Write(append(data, '\n'))
	}
	if !must && now.Sub(j.written) < every {
		return
	}
	j.written = now
	if _, err := j.file.Write(j.pending.Bytes()); err != nil {
		j.broken = true
	}
	j.pending.Reset()
	j.line(journalLine{Done: &p})
}

// close keeps the file for another run, or removes it when all is done.
func (j *journal) close(done bool) {
	if j.file == nil {
		return
	}
	j.file.Close()
	if done {
		_ = os.Remove(j.path) // a second run would find everything done
	}
}
