package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// PathForm says how an ARN writes its path.
type PathForm int

const (
	// Encoded is the form of REST and WebSocket APIs: percent-encoded as the
	// client sent it. Segments are decoded one by one.
	Encoded PathForm = iota
	// Decoded is the form of HTTP APIs: decoded once already. It is never
	// decoded again, % is an ordinary character.
	Decoded
)

// readSegment gives the text that a path segment stands for, and false for a
// segment that no template may match: what one party would read as another
// path than the next does must not be decided on.
func readSegment(form PathForm, raw string) (text string, ok bool) {
	if form == Decoded {
		// An HTTP API cuts the backend's path at a decoded question mark:
		// the rest of such a segment would be decided on and never arrive.
		return raw, strings.IndexByte(raw, '?') < 0 && safeText(raw)
	}
	if strings.ContainsAny(raw, "?#") {
		return "", false // these end a path; an encoded one cannot hold them
	}
	if strings.IndexByte(raw, '%') < 0 {
		return raw, safeText(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			if i+2 >= len(raw) {
				return "", false
			}
			hi, lo := unhex(raw[i+1]), unhex(raw[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			// %61dmin is admin to whoever decodes, and another string to
			// whoever compares (RFC 3986 section 2.3).
			if c = byte(hi<<4 | lo); isUnreserved(c) || c == '/' {
				return "", false
			}
			i += 2
		}
		out = append(out, c)
	}
	text = string(out)
	return text, safeText(text)
}

// safeText is what both forms ask of a segment's text.
func safeText(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	ascii := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f || c == '\\':
			return false
		case c == '%' && escapesStructure(s[i:]):
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// escapesStructure says whether s begins with %2F, %5C or %2E: a slash, a
// backslash or a dot to a backend that decodes once more.
func escapesStructure(s string) bool {
	if len(s) < 3 {
		return false
	}
	hi, lo := unhex(s[1]), unhex(s[2])
	return hi == 2 && (lo == 0xf || lo == 0xe) || hi == 5 && lo == 0xc
}

// isUnreserved: these need no encoding (RFC 3986 section 2.3).
func isUnreserved(c byte) bool {
	return isAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

// isPlain: these a segment may hold as they are (RFC 3986 section 3.3), and
// clients write them either way.
func isPlain(c byte) bool {
	return isUnreserved(c) || strings.IndexByte("!$&'()*+,;=:@", c) >= 0
}

// encodeSegment spells text the one way that a static segment is matched in
// an encoded path: what must be encoded is, in upper case, and nothing else.
func encodeSegment(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if isPlain(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
