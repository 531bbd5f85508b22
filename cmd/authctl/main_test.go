package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the files in the scripts anew")

// TestMain lets scripts run authctl, and what it prints, as processes of their
// own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"authctl": func() { os.Exit(process()) },
		"curl":    func() { os.Exit(curl()) },
	})
}
