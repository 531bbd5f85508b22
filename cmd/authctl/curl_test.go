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
	method, target := "", ""
	var body []byte
	header := http.Header{}
	for len(args) > 0 {
		flag := args[0]
		args = args[1:]
		if flag == "--head" {
			method = http.MethodHead
			continue
		}
		if !strings.HasPrefix(flag, "-") {
			target = flag
			continue
		}
		if len(args) == 0 {
			return fmt.Errorf("%s needs a value", flag)
		}
		value := args[0]
		args = args[1:]
		var err error
		switch flag {
		case "--request":
			method = value
		case "--header":
			name, text, ok := strings.Cut(value, ": ")
			if !ok {
				return fmt.Errorf("header %q", value)
			}
			header.Add(name, text)
		case "--data-raw":
			body = []byte(value)
		case "--data-binary":
			if value == "@-" {
				body, err = io.ReadAll(os.Stdin)
			} else {
				body, err = os.ReadFile(strings.TrimPrefix(value, "@"))
			}
		default:
			return fmt.Errorf("unknown flag %s", flag)
		}
		if err != nil {
			return err
		}
	}
	if method == "" && body != nil {
		method = http.MethodPost
	}
	if body != nil && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return send(method, target, header, body)
}

func send(method, target string, header http.Header, body []byte) error {
	req, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	if host := header.Get("Host"); host != "" {
		req.Host = host
		header.Del("Host")
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
