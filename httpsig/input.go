package httpsig

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"

	"lambda-authorizer/reason"
)

const (
	algorithm = "hmac-sha256"
	// maxField bounds what is parsed of one header field, in bytes. API
	// Gateway allows 10,240 for all of them.
	maxField = 16 << 10
	// maxNonce bounds a nonce, in bytes: it becomes a part of a table's key.
	maxNonce = 256
)

// presented is the signature of ours that a request presents: taken apart, and
// not verified.
type presented struct {
	label      string
	input      httpsfv.InnerList
	components []component
	mac        []byte

	created, expires   time.Time
	keyID, nonce, tag  string
	hasCreated, hasExp bool
}

// component is one covered component.
type component struct {
	// id is the identifier as it stands in the signature base.
	id   string
	name string
	// param is the decoded name that @query-param speaks of.
	param string
}

// parse takes the one signature of ours out of Signature-Input and Signature.
func parse(header func(string) []string) (*presented, error) {
	inputs, err := dictionary("Signature-Input", header("signature-input"))
	if err != nil {
		return nil, err
	}
	p, err := ours(inputs)
	if err != nil {
		return nil, err
	}
	signatures, err := dictionary("Signature", header("signature"))
	if err != nil {
		return nil, err
	}
	member, _ := signatures.Get(p.label)
	item, _ := member.(httpsfv.Item)
	mac, ok := item.Value.([]byte)
	if !ok {
		return nil, malformed("Signature has no byte sequence under the label of Signature-Input")
	}
	p.mac = mac
	if err := p.readParams(); err != nil {
		return nil, err
	}
	return p, p.readComponents()
}

// ours picks the signature that is made with our algorithm, or says none.
// Others (a proxy's, for someone else) are passed over; two of ours are
// refused, because two readers might each take another one.
func ours(inputs *httpsfv.Dictionary) (*presented, error) {
	var found []*presented
	for _, label := range inputs.Names() {
		member, _ := inputs.Get(label)
		list, ok := member.(httpsfv.InnerList)
		if !ok {
			return nil, malformed("a member of Signature-Input is no inner list")
		}
		if alg, ok := list.Params.Get("alg"); ok && alg != algorithm {
			if _, text := alg.(string); !text {
				return nil, malformed("alg is not a string")
			}
			continue
		}
		found = append(found, &presented{label: label, input: list})
	}
	switch len(found) {
	case 0:
		return nil, deny(reason.AlgorithmForbidden, "no signature is made with %s", algorithm)
	case 1:
		return found[0], nil
	}
	return nil, deny(reason.CredentialAmbiguous, "%d signatures", len(found))
}

// readParams reads the signature's own parameters (RFC 9421 section 2.3). An
// unknown one is refused: it may limit what the signer meant.
func (p *presented) readParams() error {
	for _, name := range p.input.Params.Names() {
		value, _ := p.input.Params.Get(name)
		number, isInt := value.(int64)
		text, isText := value.(string)
		switch {
		case name == "created" && isInt:
			p.created, p.hasCreated = time.Unix(number, 0), true
		case name == "expires" && isInt:
			p.expires, p.hasExp = time.Unix(number, 0), true
		case name == "keyid" && isText:
			p.keyID = text
		case name == "nonce" && isText && len(text) <= maxNonce:
			p.nonce = text
		case name == "tag" && isText:
			p.tag = text
		case name == "alg" && isText: // ours has read it
		default:
			return malformed("a signature parameter is unknown, of the wrong type or too long")
		}
	}
	return nil
}

// readComponents reads the covered components, each at most once.
func (p *presented) readComponents() error {
	seen := map[component]bool{}
	for _, item := range p.input.Items {
		c, err := readComponent(item)
		if err != nil {
			return err
		}
		same := component{name: c.name, param: c.param}
		if seen[same] {
			return malformed("a component is covered twice")
		}
		seen[same] = true
		p.components = append(p.components, c)
	}
	return nil
}

// readComponent accepts the components whose value an authorizer event tells
// for certain. sf, bs, key, tr and req would need the field's type, its raw
// bytes, or another message.
func readComponent(item httpsfv.Item) (component, error) {
	name, ok := item.Value.(string)
	if !ok {
		return component{}, malformed("a component is not a string")
	}
	id, err := httpsfv.Marshal(item)
	if err != nil {
		return component{}, malformed("a component cannot be written back")
	}
	c := component{id: id, name: name}
	params := item.Params.Names()
	switch {
	case name == "@query-param":
		value, _ := item.Params.Get("name")
		encoded, ok := value.(string)
		if !ok || len(params) != 1 {
			return component{}, malformed("@query-param needs the parameter name, and no other")
		}
		if c.param, err = url.PathUnescape(encoded); err != nil {
			return component{}, malformed("the name of a @query-param has an invalid percent escape")
		}
		return c, nil
	case len(params) > 0:
		return component{}, malformed("component parameters are not accepted")
	case slices.Contains(leastComponents, name), fieldName.MatchString(name):
		return c, nil
	}
	return component{}, malformed("a component is neither a header field in lower case nor one of %s, @query-param", strings.Join(leastComponents, ", "))
}

// covers tells whether a component without parameters is covered.
func (p *presented) covers(name string) bool {
	return slices.ContainsFunc(p.components, func(c component) bool { return c.name == name })
}

// dictionary parses a header field as RFC 9651 says, and stricter: httpsfv, as
// the RFC, lets the last of two equal labels or parameters win, and reads
// numbers and base64 that it would not write. Where two readers may differ
// the field is refused: it must be, but for blanks, what it is written back as.
func dictionary(name string, values []string) (*httpsfv.Dictionary, error) {
	raw := strings.Join(values, ", ")
	if len(raw) > maxField {
		return nil, malformed("%s is over %d bytes", name, maxField)
	}
	d, err := httpsfv.UnmarshalDictionary([]string{raw})
	if err != nil || len(d.Names()) == 0 {
		return nil, malformed("%s is not a dictionary of structured fields", name)
	}
	written, err := httpsfv.Marshal(d)
	if err != nil || withoutBlanks(written) != withoutBlanks(raw) {
		return nil, malformed("%s has a duplicate label or parameter, or a value in an unusual form", name)
	}
	return d, nil
}

// withoutBlanks drops all blanks, those in strings too: a string is written
// back with its own, so only what stands around the rest can differ.
var withoutBlanks = strings.NewReplacer(" ", "", "\t", "").Replace

func malformed(format string, args ...any) error {
	return deny(reason.CredentialMalformed, format, args...)
}
