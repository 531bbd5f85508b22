package config

import (
	"path/filepath"
	"reflect"
)

// Load reads the configuration file at path, fills in ${NAME} from getenv
// (os.LookupEnv has its form) and the defaults, and checks all of it. It reads
// no other file but each jwks_file.
//
// Its error is of type Problems and lists everything that is wrong. It names
// keys and lines and quotes no value that could be a secret.
func Load(path string, getenv func(string) (string, bool)) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, Problems{{File: path, Text: err.Error()}}
	}
	return read(data, path, getenv)
}

func read(data []byte, path string, getenv func(string) (string, bool)) (*Config, error) {
	r := newReport(path)
	body := document(data, r)
	if body == nil {
		return nil, r.err()
	}
	c := &Config{file: path, dir: filepath.Dir(path), lines: r.line}
	newDecoder(getenv, r).value(body, reflect.ValueOf(c).Elem(), "")
	c.setDefaults()
	// Once more, over the defaults: what the file says stands even where it
	// says zero, as in `leeway: 0s`, and a default may depend on a given key.
	newDecoder(getenv, newReport(path)).value(body, reflect.ValueOf(c).Elem(), "")
	c.validate(r)
	r.sort()
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}
