package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// digestIs compares a Content-Digest that has sha-256 alone.
func digestIs(digest string, sum []byte) bool {
	return digest == "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":"
}

// curl does what the real one does with the flags that sign prints; the shell
// between the two is a real one. It knows no other flags.
func curl() int {
	if err := runCurl(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		return 1
	}
	return 0
}

func runCurl(args []string) error {
	c := call{header: http.Header{}}
	for len(args) > 0 {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "--head":
			c.method = http.MethodHead
		case !strings.HasPrefix(flag, "-"):
			c.target = flag
		case len(args) == 0:
			return fmt.Errorf("%s needs a value", flag)
		default:
			if err := c.set(flag, args[0]); err != nil {
				return err
			}
			args = args[1:]
		}
	}
	if c.method == "" && c.body != nil {
		c.method = http.MethodPost
	}
	if c.body != nil && c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.send()
}

// call is what a command line of curl asks for.
type call struct {
	method, target string
	header         http.Header
	body           []byte
}

func (c *call) set(flag, value string) (err error) {
	switch flag {
	case "--request":
		c.method = value
	case "--header":
		name, text, ok := strings.Cut(value, ": ")
		if !ok {
			return fmt.Errorf("header %q", value)
		}
		c.header.Add(name, text)
	case "--data-raw":
		c.body = []byte(value)
	case "--data-binary":
		if value == "@-" {
			c.body, err = io.ReadAll(os.Stdin)
		} else {
			c.body, err = os.ReadFile(strings.TrimPrefix(value, "@"))
		}
	default:
		return fmt.Errorf("unknown flag %s", flag)
	}
	return err
}

func (c *call) send() error {
	req, err := http.NewRequest(c.method, c.target, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	req.Header = c.header
	if host := c.header.Get("Host"); host != "" {
		req.Host = host
		c.header.Del("Host")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Printf("%d ", resp.StatusCode)
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}
