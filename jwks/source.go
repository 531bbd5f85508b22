package jwks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// source is where an issuer's public keys come from: remote or static.
type source interface {
	// keys returns the set to look q up in: the newest that may be used, and
	// fetched anew where q is unknown and the bounds allow it. An error is a
	// fault.
	keys(ctx context.Context, q query) (*keySet, error)
}

// static is a key set from a file.
type static struct{ set *keySet }

func (s static) keys(context.Context, query) (*keySet, error) { return s.set, nil }

// readStatic reads the key set in file, which is relative to dir.
func readStatic(dir, file string) (static, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return static{}, err
	}
	set, err := parseKeySet(data)
	if err != nil {
		return static{}, fmt.Errorf("%s: %w", file, err)
	}
	return static{set}, nil
}
