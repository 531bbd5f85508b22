package secrets

import (
	"bytes"
	"context"
	"fmt"

	"lambda-authorizer/keydoc"
)

// Edit changes one record of a secret with keys, by compare-and-swap. edit
// makes the new record, in JSON, of the one that is there, or of nil where
// there is none; nil removes it. It may be called several times, and may see
// its own result. All other records keep every byte.
func (w *Writer) Edit(ctx context.Context, secret, id string, edit func(record []byte) ([]byte, error)) error {
	_, err := w.Update(ctx, secret, func(text []byte) ([]byte, error) {
		d, err := keydoc.Open(text)
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", secret, err)
		}
		old := d.Get(id)
		record, err := edit(old)
		switch {
		case err != nil:
			return nil, err
		case bytes.Equal(record, old):
			return text, nil
		}
		d.Set(id, record)
		return d.Text()
	})
	return err
}

// Records returns the records of a secret with keys, in JSON, by id.
func (w *Writer) Records(ctx context.Context, secret string) (map[string][]byte, error) {
	out := make(map[string][]byte)
	reader := *w
	reader.DryRun = true
	_, err := reader.Update(ctx, secret, func(text []byte) ([]byte, error) {
		d, err := keydoc.Open(text)
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", secret, err)
		}
		for _, r := range d.Records() {
			out[r.ID] = r.Value
		}
		return text, nil
	})
	return out, err
}
