// Command package makes the zip of a Lambda function: its bootstrap and, for
// the authorizer, its configuration. The same input gives the same bytes.
//
//	package -o build/authorizer.zip -config deploy/authorizer.yaml build/linux-arm64/authorizer/bootstrap
//	package -o build/items.zip build/linux-arm64/items/bootstrap
//
// A configuration goes in twice: as authorizer.yaml, byte for byte, and as
// authorizer-simple.yaml, which says in its place what an HTTP API with simple
// responses needs. Key files that it names go in beside it. It is not
// validated here: what it means depends on the function's environment, and
// authctl validate tells.
//
// It refuses what Lambda would only refuse when the function starts: a binary
// for another machine, or one that needs a dynamic linker.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "package:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("package", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "", "the `zip` to write; required")
	config := flags.String("config", "", "an authorizer.yaml to put in")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: package -o ZIP [-config FILE] BOOTSTRAP")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() != 1 {
		flags.Usage()
		return errors.New("a zip and one bootstrap are needed")
	}
	files, err := gather(flags.Arg(0), *config)
	if err != nil {
		return err
	}
	zipped, err := pack(files)
	if err != nil {
		return err
	}
	if err := replace(*out, zipped); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %.1f MB\n", *out, float64(len(zipped))/1e6)
	return nil
}

// gather reads everything that belongs into the zip.
func gather(bootstrap, config string) ([]file, error) {
	binary, err := os.ReadFile(bootstrap)
	if err != nil {
		return nil, err
	}
	if err := checkBinary(binary); err != nil {
		return nil, fmt.Errorf("%s: %w", bootstrap, err)
	}
	files := []file{{name: "bootstrap", mode: 0o755, data: binary}}
	if config == "" {
		return files, nil
	}
	more, err := configuration(config)
	return append(files, more...), err
}

// replace writes path whole or not at all.
func replace(path string, data []byte) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, data, 0o644); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
