// Package items is the protected CRUD service that ships with the authorizer:
// an http.Handler over one DynamoDB table, and a model to copy for what stands
// behind an authorizer. Every item belongs to the principal that the
// authorizer names; no principal ever meets another's.
//
// It decides nothing about credentials: package backend takes the caller from
// the authorizer's context.
package items

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"lambda-authorizer/backend"
)

// The bounds of an item. Characters are Unicode code points.
const (
	MaxName        = 100
	MaxDescription = 1000
	MaxMetadata    = 50
	// MaxContent bounds the bytes of an item's strings together. No request
	// body exceeds it, but a row of patches could, up to DynamoDB's 400 KB.
	MaxContent = MaxBody
	// MaxBody is the largest request body, in bytes.
	MaxBody = 64 << 10
)

// Content is what the owner says about an item. An empty description and empty
// metadata are the same as none.
type Content struct {
	Name        string            `json:"name" dynamodbav:"name"`
	Description string            `json:"description,omitzero" dynamodbav:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty" dynamodbav:"metadata,omitempty"`
}

// Item is a stored item.
type Item struct {
	ID ulid.ULID
	Content
	// CreatedAt and UpdatedAt are UTC, in whole milliseconds.
	CreatedAt, UpdatedAt time.Time
	// Version starts at 1 and grows with every write. It is the ETag.
	Version int64
}

// wireItem is an Item as clients see it.
type wireItem struct {
	ID string `json:"id"`
	Content
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (i Item) wire() wireItem {
	return wireItem{i.ID.String(), i.Content, i.CreatedAt, i.UpdatedAt}
}

// check reports everything that is out of bounds.
func (c Content) check() []backend.FieldError {
	var errs []backend.FieldError
	add := func(pointer, format string, args ...any) {
		errs = append(errs, backend.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	if n := utf8.RuneCountInString(c.Name); n < 1 || n > MaxName {
		add("#/name", "must have 1 to %d characters, has %d", MaxName, n)
	}
	if n := utf8.RuneCountInString(c.Description); n > MaxDescription {
		add("#/description", "must have at most %d characters, has %d", MaxDescription, n)
	}
	if n := len(c.Metadata); n > MaxMetadata {
		add("#/metadata", "must have at most %d members, has %d", MaxMetadata, n)
	}
	// DynamoDB has no attribute without a name.
	if _, ok := c.Metadata[""]; ok {
		add("#/metadata/", "a member must have a name")
	}
	if n := c.size(); n > MaxContent {
		add("#", "must have at most %d bytes in all, has %d", MaxContent, n)
	}
	return errs
}

func (c Content) size() int {
	n := len(c.Name) + len(c.Description)
	for k, v := range c.Metadata {
		n += len(k) + len(v)
	}
	return n
}

// parseID reads an id in its one canonical spelling.
func parseID(s string) (ulid.ULID, bool) {
	id, err := ulid.ParseStrict(s)
	return id, err == nil && id.String() == s
}
