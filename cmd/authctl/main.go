// Command authctl is the operator's command line for lambda-authorizer.
//
// Messages are in lower case and say what happened and the next step. Tables
// are for people; --output json is for scripts. The exit status is 0 when done
// (explain: the request is let in; doctor: nothing is open or broken; check: not
// revoked), 1 when refused or not found, 2 for wrong usage and 3 when a
// dependency failed.
//
// It reads AUTHORIZER_CONFIG, whatever the configuration refers to as ${NAME},
// and the standard AWS SDK environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitRefused    = 1
	exitUsage      = 2
	exitDependency = 3
)

// exit is an error with its status. Where the message is empty, everything has
// been said already.
type exit struct {
	status  int
	message string
}

func (e exit) Error() string { return e.message }

func refused(format string, args ...any) error {
	return exit{exitRefused, fmt.Sprintf(format, args...)}
}

func usage(format string, args ...any) error {
	return exit{exitUsage, fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) error {
	return exit{exitDependency, fmt.Sprintf(format, args...)}
}

// tool is what every command gets from the process and from the flags that all
// commands share.
type tool struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	now      func() time.Time
	stopped  <-chan struct{} // closed by the first Ctrl-C

	json   bool   // --output json
	config string // --config
}

func main() { os.Exit(process()) }

// process runs the command line of this process and returns its status.
func process() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // the next Ctrl-C kills, as if nobody listened
	t := &tool{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, now: time.Now}
	return t.run(ctx, os.Args[1:])
}

// run executes a command line and returns the exit status.
func (t *tool) run(ctx context.Context, args []string) int {
	t.stopped = ctx.Done()
	root := t.root()
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	status := exitUsage // what cobra itself complains about
	var e exit
	if errors.As(err, &e) {
		status = e.status
	}
	if err.Error() != "" {
		fmt.Fprintf(t.err, "authctl: %s\n", shown(err.Error()))
	}
	return status
}

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "authctl",
		Short:         "operate lambda-authorizer",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Usage()
			return usage("name a command, such as authctl validate")
		},
	}
	var output string
	flags := root.PersistentFlags()
	flags.StringVar(&output, "output", "text", "text or json")
	flags.StringVar(&t.config, "config", t.defaultConfig(), "the configuration `file`")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if output != "text" && output != "json" {
			return usage("--output is text or json, not %q", output)
		}
		t.json = output == "json"
		return nil
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(t.validate(), t.explain(), t.doctor())
	root.AddCommand(t.revoke(), t.restore(), t.list(), t.check())
	root.AddCommand(t.network())
	root.AddCommand(t.keys(apiKeys), t.keys(signingKeys), t.sign())
	return root
}

func (t *tool) defaultConfig() string {
	if path, ok := t.env("AUTHORIZER_CONFIG"); ok && path != "" {
		return path
	}
	return "authorizer.yaml"
}
