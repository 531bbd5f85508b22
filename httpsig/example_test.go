package httpsig_test

import (
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"lambda-authorizer/httpsig"
)

const exampleSecret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="

// A client that signs everything it sends.
func ExampleTransport() {
	signer, err := httpsig.NewSigner("partner-acme", exampleSecret)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: &httpsig.Transport{Signer: signer}, Timeout: 10 * time.Second}
	_ = client // client.Get("https://api.example.com/items")
}

// A request that is signed and not sent. Time and nonce are fixed here so that
// the outcome is.
func ExampleSigner_Sign() {
	signer, err := httpsig.NewSigner("partner-acme", exampleSecret)
	if err != nil {
		log.Fatal(err)
	}
	signer.Now = func() time.Time { return time.Unix(1794573296, 0) }
	signer.Nonce = func() string { return "5f2c" }
	req, err := http.NewRequest("POST", "https://api.example.com/prod/items?tag=b&dry run", strings.NewReader(`{"name":"x"}`))
	if err != nil {
		log.Fatal(err)
	}
	if err := signer.Sign(req); err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Method, req.URL)
	for _, name := range []string{"Content-Digest", "Signature-Input", "Signature"} {
		fmt.Printf("%s: %s\n", name, req.Header.Get(name))
	}
	// Output:
	// POST https://api.example.com/prod/items?dry%20run=&tag=b
	// Content-Digest: sha-256=:AinTfjParhSb9AVDpc4dtEWdEPgw1ROSeaor/V9khaE=:
	// Signature-Input: sig=("@method" "@authority" "@path" "@query" "content-digest");created=1794573296;nonce="5f2c";keyid="partner-acme";alg="hmac-sha256"
	// Signature: sig=:O7duS2gf6bpYO4KHycpOJDUxUs5D4U6vuwe5lkmW5XE=:
}
