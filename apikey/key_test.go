package apikey_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lambda-authorizer/apikey"
	"lambda-authorizer/reason"
)

// The vector of the documentation: id test, secret forty-three A.
const (
	vector     = "ak_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1qpYpc"
	vectorHash = "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a"
)

func ExampleParse() {
	p, err := apikey.Parse("ak_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1qpYpc")
	fmt.Println(p.ID, err)
	fmt.Printf("%x\n", sha256.Sum256([]byte(strings.Repeat("A", 43))))
	// Output:
	// test <nil>
	// 0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a
}

// key writes a key by another way than the package does.
func key(id, secret string) string {
	body := "ak_" + id + "_" + secret
	const ours, theirs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	check := strings.Map(func(r rune) rune { return rune(ours[strings.IndexRune(theirs, r)]) }, big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))).Text(62))
	return body + strings.Repeat("0", 6-len(check)) + check
}

func TestVectorOfTheDocumentation(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("A", 43)
	if got := key("test", secret); got != vector {
		t.Errorf("key %s", got)
	}
	if sum := sha256.Sum256([]byte(secret)); hex.EncodeToString(sum[:]) != vectorHash {
		t.Errorf("sha256 %x", sum)
	}
}

func TestKeyThatIsNotWellFormedIsMalformed(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("z", 43)
	for what, text := range map[string]string{
		"empty":                        "",
		"prefix alone":                 "ak_",
		"no prefix":                    strings.TrimPrefix(vector, "ak_"),
		"prefix in capitals":           "AK_" + strings.TrimPrefix(vector, "ak_"),
		"no id":                        key("", secret),
		"id in capitals":               key("Test", secret),
		"id of 33":                     key(strings.Repeat("a", 33), secret),
		"id with a dash":               key("te-st", secret),
		"no second bar":                "ak_test" + secret + "000000",
		"secret of 42":                 key("test", secret[1:]),
		"secret of 44":                 key("test", secret+"z"),
		"secret with a bar":            key("test", secret[1:]+"_"),
		"secret with a letter of ours": key("test", secret[2:]+"é"),
		"cut":                          vector[:len(vector)-1],
		"blank before":                 " " + vector,
		"line break behind":            vector + "\n",
		"check of another key":         vector[:len(vector)-6] + key("test", secret)[len(vector)-6:],
		"check in lower case":          vector[:len(vector)-6] + strings.ToLower(vector[len(vector)-6:]),
		"id of another key":            strings.Replace(vector, "test", "tent", 1),
	} {
		_, err := apikey.Parse(text)
		if !errors.Is(err, reason.CredentialMalformed) {
			t.Errorf("%s: %v", what, err)
		} else if strings.Contains(err.Error(), "zzzz") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: the error quotes the key: %v", what, err)
		}
	}
}

func TestLongestAndShortestIDAreTaken(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "0", strings.Repeat("z", 32)} {
		if p, err := apikey.Parse(key(id, strings.Repeat("0", 43))); err != nil || p.ID != id {
			t.Errorf("id %s: %q, %v", id, p.ID, err)
		}
	}
}

func TestOnlyThePrefixMakesACredentialLookLikeAKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{vector: true, "ak_": true, "ak_ what else": true, "": false, "ak": false, "AK_test": false, "Bearer x": false} {
		if apikey.LooksLike(text) != want {
			t.Errorf("%q looks like a key: %t", text, !want)
		}
	}
}

func TestGeneratedKeysParseAndDiffer(t *testing.T) {
	t.Parallel()
	seen, used := map[string]bool{}, map[rune]bool{}
	for range 200 {
		id := apikey.NewID()
		g, err := apikey.Generate(id)
		if err != nil {
			t.Fatal(err)
		}
		p, err := apikey.Parse(g.Text)
		if err != nil || p.ID != id || len(id) != 12 {
			t.Fatalf("a generated key of id %s: %q, %v", id, p.ID, err)
		}
		secret := g.Text[len("ak_")+len(id)+1 : len(g.Text)-6]
		if seen[secret] || seen[id] || key(id, secret) != g.Text {
			t.Fatalf("generated twice, or with another check")
		}
		seen[secret], seen[id] = true, true
		for _, c := range secret {
			used[c] = true
		}
	}
	if len(used) != 62 {
		t.Errorf("8,600 characters use %d of 62 digits", len(used))
	}
	if _, err := apikey.Generate("Not-An-ID"); err == nil {
		t.Error("a key without an id is made")
	}
}

// CRC-32 finds every change of up to 32 bits in a row: every mistyped
// character, and every two that are swapped.
func TestMistypedKeyIsRefusedWithoutALookup(t *testing.T) {
	t.Parallel()
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	rapid.Check(t, func(t *rapid.T) {
		g, err := apikey.Generate(apikey.NewID())
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(g.Text)
		at := rapid.IntRange(0, len(text)-2).Draw(t, "at")
		if rapid.Bool().Draw(t, "swap") {
			text[at], text[at+1] = text[at+1], text[at]
		} else {
			text[at] = rapid.SampledFrom([]byte(alphabet)).Draw(t, "typed")
		}
		if _, err := apikey.Parse(string(text)); string(text) != g.Text && !errors.Is(err, reason.CredentialMalformed) {
			t.Fatalf("%s passes for %s: %v", text, g.Text, err)
		}
	})
}

func TestPrintedKeyShowsNoHash(t *testing.T) {
	t.Parallel()
	p, err := apikey.Parse(vector)
	if err != nil {
		t.Fatal(err)
	}
	records, _ := apikey.Rules{}.Parse([]byte(`{"keys":{"test":{"sha256":"` + vectorHash + `","principal":"p"}}}`))
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", p, p, p), fmt.Sprintf("%v %+v", records["test"], *records["test"])} {
		if strings.Contains(text, "0f0073") || strings.Contains(text, "15 0 115") || strings.Contains(text, "AAAA") {
			t.Errorf("printed: %s", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(vector)
	f.Add("ak_a_b")
	f.Add("ak__")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := apikey.Parse(text)
		if err != nil {
			if !errors.Is(err, reason.CredentialMalformed) || p.ID != "" {
				t.Errorf("%q, %v", p.ID, err)
			}
			return
		}
		if rest := strings.TrimPrefix(text, "ak_"+p.ID+"_"); len(rest) != 49 || key(p.ID, rest[:43]) != text {
			t.Errorf("%q is taken for a key", text)
		}
	})
}
