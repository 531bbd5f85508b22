// Package dynamo starts a DynamoDB-compatible server on loopback for `make
// run` and for tests. It holds everything in memory and forgets it on Close.
//
// The server is dynoxide, a native binary from npm. Where dynoxide has no
// build it is dynalite, which has neither transactions nor UpdateTimeToLive.
// Neither deletes expired items by itself, checks signatures or knows
// UpdateContinuousBackups.
//
// One server serves a whole test package:
//
//	var server *dynamo.Server
//
//	func TestMain(m *testing.M) {
//		var err error
//		server, err = dynamo.Start(context.Background(), dynamo.Options{Endpoint: os.Getenv(dynamo.EndpointVariable)})
//		if err != nil {
//			fmt.Fprintln(os.Stderr, err)
//			os.Exit(1)
//		}
//		code := m.Run()
//		server.Close()
//		os.Exit(code)
//	}
//
// and each test makes tables of its own under server.TableName().
package dynamo

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/local/process"
)

// EndpointVariable names the environment variable by which mains and tests let
// the user name another server: DynamoDB Local, LocalStack.
const EndpointVariable = "DYNAMODB_ENDPOINT"

// Region is the region that clients sign for.
const Region = "eu-central-1"

// Options says which server to use. The zero Options starts one.
type Options struct {
	// Endpoint is the URL of a server that runs already. Then nothing is
	// started and Close stops nothing.
	Endpoint string
	// Dir is the directory whose node_modules holds the servers. Default:
	// the directory `local` beside the go.mod found at or above the working
	// directory.
	Dir string
	// Dynalite starts dynalite even where dynoxide has a build.
	Dynalite bool
}

// Server is a running DynamoDB-compatible server. Safe for concurrent use.
type Server struct {
	endpoint string
	process  *process.Process
	stdin    io.Closer
}

//go:embed dynalite.js
var dynaliteScript string

// startTimeout bounds how long a server may take to listen. dynoxide needs
// 50 ms, node on a busy machine some seconds.
const startTimeout = 30 * time.Second

// Start starts a server, or takes the one that o names, and returns when it
// answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Endpoint != "" {
		return &Server{endpoint: strings.TrimSuffix(o.Endpoint, "/")}, nil
	}
	command, err := find(o)
	if err != nil {
		return nil, err
	}
	// A port that was free a moment ago may be taken by now: try again.
	for attempt := 0; ; attempt++ {
		s, err := start(ctx, command)
		if err == nil || attempt == 4 || !strings.Contains(err.Error(), "in use") {
			return s, err
		}
	}
}

// Endpoint is the server's URL, without a trailing slash.
func (s *Server) Endpoint() string { return s.endpoint }

// Close stops the server and returns when it is gone.
func (s *Server) Close() {
	if s.process == nil {
		return
	}
	s.process.Kill() // it holds nothing worth a goodbye
	s.stdin.Close()
}

// PID is the server's process id, 0 where the server was running already.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Client is a client of the server with made-up credentials.
func (s *Server) Client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(s.endpoint),
		Region:       Region,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// TableName is a table name that no other test, nor another run against the
// same server, uses.
func (s *Server) TableName() string { return "test-" + strings.ToLower(rand.Text()) }

// find says how to start a server, given a port to use.
func find(o Options) (func(port int) *exec.Cmd, error) {
	dir := o.Dir
	if dir == "" {
		var err error
		if dir, err = localDir(); err != nil {
			return nil, err
		}
	}
	dynoxide := filepath.Join(dir, "node_modules", "@dynoxide", npmPlatform(), "dynoxide")
	if !o.Dynalite && exists(dynoxide) {
		return func(port int) *exec.Cmd {
			return exec.Command(dynoxide, "serve", "--host", "127.0.0.1", "--port", strconv.Itoa(port))
		}, nil
	}
	if exists(filepath.Join(dir, "node_modules", "dynalite")) {
		return func(int) *exec.Cmd {
			cmd := exec.Command("node", "-e", dynaliteScript)
			cmd.Dir = dir
			return cmd
		}, nil
	}
	return nil, fmt.Errorf("no DynamoDB server in %s: run `make setup`, or set %s to the URL of one",
		filepath.Join(dir, "node_modules"), EndpointVariable)
}

func start(ctx context.Context, command func(port int) *exec.Cmd) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := command(port)
	said := &announcement{url: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = said, said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	s := &Server{process: p, stdin: stdin}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case s.endpoint = <-said.url:
		return s, nil
	case <-p.Done():
		return nil, fmt.Errorf("%s: ended before it was ready (%v): %s", filepath.Base(cmd.Path), p.Err(), &said.Tail)
	case <-ctx.Done():
		s.Close()
		return nil, fmt.Errorf("%s: not ready: %w: %s", filepath.Base(cmd.Path), ctx.Err(), &said.Tail)
	}
}

// announcement waits for the line that names the server's address: both
// servers print one once they accept connections, dynoxide on standard error,
// dynalite on standard output. exec.Cmd writes from one goroutine when both
// are the same writer.
type announcement struct {
	process.Tail
	line []byte
	url  chan string
}

func (a *announcement) Write(p []byte) (int, error) {
	a.line = append(a.line, p...)
	for {
		line, rest, whole := bytes.Cut(a.line, []byte("\n"))
		if !whole {
			return a.Tail.Write(p)
		}
		if _, url, ok := bytes.Cut(line, []byte("listening on ")); ok {
			select {
			case a.url <- string(bytes.TrimSpace(url)):
			default: // it says so once
			}
		}
		a.line = rest
	}
}

// localDir finds the module's directory `local` from the working directory,
// which for a test is its package's directory.
func localDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if local := filepath.Join(dir, "local"); exists(filepath.Join(dir, "go.mod")) && exists(local) {
			return local, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod with a directory local at or above the working directory")
		}
		dir = parent
	}
}

// npmPlatform is this machine in npm's words.
func npmPlatform() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return runtime.GOOS + "-" + arch
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("no free port on loopback: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
