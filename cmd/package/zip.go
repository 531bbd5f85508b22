package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// file is one entry of the zip.
type file struct {
	name string
	mode fs.FileMode
	data []byte
}

// epoch is every entry's time: the first that the zip format knows.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// pack zips the files. Order, times, modes and compression are fixed, so that
// equal files make equal zips.
func pack(files []file) ([]byte, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(to, flate.BestCompression)
	})
	for i, f := range files {
		if i > 0 && files[i-1].name == f.name {
			return nil, fmt.Errorf("%s is there twice", f.name)
		}
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: epoch}
		header.SetMode(f.mode)
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// maxBinary keeps cold starts short: Lambda fetches and unpacks the zip before
// the first invocation.
const maxBinary = 12 << 20

// checkBinary makes sure that provided.al2023 on arm64 can run it.
func checkBinary(binary []byte) error {
	parsed, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("is no Linux binary: %w", err)
	}
	defer parsed.Close()
	if parsed.Machine != elf.EM_AARCH64 {
		return fmt.Errorf("is for %v: build it with GOOS=linux GOARCH=arm64", parsed.Machine)
	}
	for _, p := range parsed.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("needs a dynamic linker: build it with CGO_ENABLED=0")
		}
	}
	if len(binary) >= maxBinary {
		return fmt.Errorf("has %d bytes: must be under %d, because a function's cold start grows with it", len(binary), maxBinary)
	}
	return nil
}
