package revocation_test

import (
	"context"
	"fmt"
	"time"

	"lambda-authorizer/revocation"
)

// What an authorizer does with a verified token: look it up, count what
// happened, refuse if need be.
func ExampleChecker_Check() {
	var cfg revocation.Config
	cfg.SetDefaults()
	checker, err := revocation.New(empty{}, "revocations", cfg, revocation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := checker.Check(context.Background(), revocation.Credential{
		Kind: revocation.KindToken, Issuer: "https://idp.example.com/", ID: "01HZX3",
		Subject: "alice", Client: "web", KeyID: "2026-10", IssuedAt: time.Now().Add(-time.Minute),
	})
	fmt.Println(err, res.Asked, res.Reads)
	// Output: <nil> 5 1
}

// The partition key, as the plain AWS CLI needs it.
func ExampleKey_PK() {
	pk, _ := revocation.Key{Kind: revocation.KindSubject, Issuer: "https://idp.example.com/", Value: "alice"}.PK()
	fmt.Println(pk)
	// Output: subject#https://idp.example.com/#alice
}
