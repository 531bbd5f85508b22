package keydoc

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads a record into the struct that out points to. It refuses what
// would be taken for the absence of a rule: members that out does not have
// ("network" for "networks"), members given twice, and null anywhere.
func Decode(value jsontext.Value, out any) error {
	if value.Kind() != jsontext.KindBeginObject {
		return errors.New("it is not a JSON object")
	}
	if err := json.Unmarshal(value, out, json.RejectUnknownMembers(true)); err != nil {
		return misfit(err)
	}
	return refuseNull(value)
}

func refuseNull(value jsontext.Value) error {
	d := jsontext.NewDecoder(bytes.NewReader(value))
	for {
		token, err := d.ReadToken()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return broken(d)
		case token.Kind() == jsontext.KindNull:
			return errors.New("a member is null: leave it out instead")
		}
	}
}

// misfit names the member that does not fit, without its value.
func misfit(err error) error {
	semantic, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("a member occurs twice")
	case !ok:
		return errors.New("it is not JSON")
	case !memberName.MatchString(string(semantic.JSONPointer)):
		return errors.New("a member does not belong there")
	case errors.Is(err, json.ErrUnknownName):
		return fmt.Errorf("%s is no member of a record", semantic.JSONPointer)
	}
	return fmt.Errorf("%s is of the wrong type", semantic.JSONPointer)
}

// memberName is what a pointer may look like to be shown: a secret in the
// place of a name does not look so.
var memberName = regexp.MustCompile(`^(/([a-z_]{1,24}|sha256|[0-9]{1,4})){1,3}$`)

// MinSecret is the least size of a shared secret in bytes: that of an
// HMAC-SHA-256 (RFC 2104 section 3, RFC 7518 section 3.2).
const MinSecret = 32

// Secret decodes a shared secret: standard base64 with padding, as "openssl
// rand -base64 32" prints it, at least MinSecret bytes.
func Secret(text string) ([]byte, error) {
	// The decoder would skip line breaks.
	if bytes.ContainsAny([]byte(text), "\r\n") {
		return nil, errors.New("not base64: it has line breaks")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("not standard base64 with padding")
	}
	if len(b) < MinSecret {
		return nil, fmt.Errorf("%d bytes long, and must have at least %d", len(b), MinSecret)
	}
	return b, nil
}
