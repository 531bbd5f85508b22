package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// onTerminal tells whether a stream of the process is a terminal.
func onTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// confirm asks on the terminal before what locks out or lets in many. Standard input may
// be taken by a token or a file, so it asks the terminal itself.
func (t *tool) confirm(yes bool, what string) error {
	if yes {
		return nil
	}
	if !onTerminal(t.in) && !onTerminal(t.err) {
		return usage("%s: nobody is here to confirm that: give --yes, or look first with --dry-run", what)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return usage("%s: there is no terminal to confirm that on: give --yes, or look first with --dry-run", what)
	}
	defer tty.Close()
	return t.ask(tty, what)
}

func (t *tool) ask(tty io.ReadWriter, what string) error {
	fmt.Fprintf(tty, "%s\ntype yes to go on: ", what)
	answer, err := unlessStopped(t, func() (string, error) { return bufio.NewReader(tty).ReadString('\n') })
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return refused("not confirmed: nothing was changed")
	}
	return nil
}

var errStopped = errors.New("stopped")

// unlessStopped is read's result, unless somebody presses Ctrl-C first: a read
// of a person does not end by itself.
func unlessStopped[T any](t *tool, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := read()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-t.stopped:
		var none T
		return none, errStopped
	}
}
