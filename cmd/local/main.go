// Command local runs the whole service on this machine: `make run`.
//
// It reads LOCAL_ADDR (default 127.0.0.1:8080), LOCAL_CACHE_TTL (default 300s,
// 0 is off), AUTHORIZER_CONFIG (default deploy/authorizer.yaml),
// DYNAMODB_ENDPOINT (default: a server of its own), ITEMS_CORS_ORIGINS and
// ITEMS_CORS_CREDENTIALS (for the items function), LOG_LEVEL, NO_COLOR, and
// whatever the configuration refers to as ${NAME}.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"lambda-authorizer/local"
	"lambda-authorizer/local/dynamo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// settings are what flags and environment say.
type settings struct {
	options local.Options
	watch   bool
	color   bool
}

// run is main without the process: it returns the exit status. 0: stopped by
// a signal; 1: could not start; 2: wrong usage.
func run(ctx context.Context, args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	s, err := read(args, getenv, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "local:", err)
		return 2
	}
	screen := newScreen(s, stdout, stderr)
	s.options.Watch = screen.watch()
	stack, err := local.Start(ctx, s.options)
	if err != nil {
		if ctx.Err() != nil { // stopped while it started
			return 0
		}
		screen.release(nil)
		fmt.Fprintln(stderr, err)
		return 1
	}
	defer stack.Close()
	screen.banner(stack)
	screen.release(stack)
	<-ctx.Done()
	fmt.Fprintln(stdout, "\nstopping")
	return 0
}

func read(args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) (settings, error) {
	env := func(name, otherwise string) string {
		if value, ok := getenv(name); ok && value != "" {
			return value
		}
		return otherwise
	}
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "build", "directory for local.env and the stages' configurations; the bootstraps are found there too")
	address := flags.String("addr", env("LOCAL_ADDR", "127.0.0.1:8080"), "address to listen on (LOCAL_ADDR)")
	config := flags.String("config", env("AUTHORIZER_CONFIG", filepath.Join("deploy", "authorizer.yaml")), "the authorizer's configuration (AUTHORIZER_CONFIG)")
	ttl := flags.String("cache-ttl", env("LOCAL_CACHE_TTL", "300s"), "lifetime of cached authorizer results, 0 is off (LOCAL_CACHE_TTL)")
	watch := flags.Bool("watch-decisions", isTerminal(stdout), "print a readable line per decision, not only per fault; the default on a terminal")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	lifetime, err := cacheTTL(*ttl)
	if err != nil {
		return settings{}, err
	}
	_, noColor := getenv("NO_COLOR") // https://no-color.org: set to anything
	return settings{
		watch: *watch,
		color: isTerminal(stdout) && !noColor,
		options: local.Options{
			Address:    *address,
			Authorizer: absolute(*dir, "authorizer", "bootstrap"),
			Items:      absolute(*dir, "items", "bootstrap"),
			Config:     *config,
			CacheTTL:   lifetime,
			Dir:        absolute(*dir),
			DynamoDB:   dynamo.Options{Endpoint: env(dynamo.EndpointVariable, "")},
			Getenv:     getenv,
		},
	}, nil
}

// cacheTTL is held to what API Gateway takes.
func cacheTTL(text string) (time.Duration, error) {
	ttl, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("LOCAL_CACHE_TTL=%s: must be a duration such as 300s, or 0", text)
	}
	if ttl < 0 || ttl > time.Hour || ttl%time.Second != 0 {
		return 0, fmt.Errorf("LOCAL_CACHE_TTL=%s: must be whole seconds from 0s to 1h, as in API Gateway", text)
	}
	return ttl, nil
}

// absolute: the functions run in a directory of their own.
func absolute(parts ...string) string {
	path := filepath.Join(parts...)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// isTerminal: a character device that is not the null device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
