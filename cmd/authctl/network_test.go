package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"lambda-authorizer/config"
)

// The commands about networks as operators type them, against a real
// DynamoDB-compatible server.
func TestNetworkScripts(t *testing.T) {
	server := startDynamo(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/network", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error { return newStand(server).setUp(env) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "item": putItem, "cidrs": putCIDRs,
		},
	})
}

// putCIDRs writes a network by hand.
//
//	cidrs NAME CIDR…
func putCIDRs(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value("stand").(*stand)
	_, err := s.server.Client().PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: aws.String(s.table),
		Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "network#" + args[0]}, "cidrs": &types.AttributeValueMemberSS{Value: args[1:]},
		},
	})
	ts.Check(err)
}

// configured is a configuration with networks.
func configured() *settings {
	cfg := &config.Config{
		Networks: map[string]config.Network{
			"office": {CIDRs: []string{"203.0.113.0/24"}}, "partners": {DynamoDB: true}, "labs": {DynamoDB: true},
		},
		DenyNetworks: []string{"203.0.113.66/32", "2001:db8:bad::/48"},
	}
	cfg.Gateway.CacheTTL, cfg.Revocation.CacheTTL = time.Minute, 5*time.Second
	return &settings{cfg: cfg, table: "t"}
}

func TestOnlyNetworksThatAreKeptInTheTableCanBeChangedThere(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ err, note string }{
		"partners": {},
		"office":   {err: `network office stands in authorizer.yaml: change it there, or write "office: dynamodb"`},
		"partnres": {note: "no network in authorizer.yaml is called partnres: a function with that configuration does not read the list (it keeps in the table: labs, partners)"},
		"a#b":      {err: `a network must be a name of 1 to 64 letters, digits, - or _: "a#b" is none`},
	} {
		s := configured()
		err := s.changeable(name, "authorizer.yaml")
		if (err == nil) != (want.err == "") || err != nil && (!strings.Contains(err.Error(), want.err) || err.(exit).status != exitUsage) {
			t.Errorf("%s: %v, want %q", name, err, want.err)
		}
		if got := strings.Join(s.notes, "\n"); got != want.note {
			t.Errorf("%s: noted %q, want %q", name, got, want.note)
		}
	}
}

func TestNetworkListTellsTheConfigurationsOwnAndWhatDenyNetworksRefuses(t *testing.T) {
	t.Parallel()
	s := configured()
	var out bytes.Buffer
	tool := &tool{out: &out, now: time.Now}
	all, err := tool.readNetworks(t.Context(), []string{"office"}, place{}, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := tool.showNetworks(all, false); err != nil {
		t.Fatal(err)
	}
	if want := "NETWORK  KEPT IN        CIDR\noffice   configuration  203.0.113.0/24\n"; out.String() != want {
		t.Errorf("%s\nwant\n%s", &out, want)
	}
	for address, want := range map[string]string{
		"203.0.113.66":        "deny_networks refuses 203.0.113.66 whatever network it is in: 203.0.113.66/32",
		"::ffff:203.0.113.66": "deny_networks refuses 203.0.113.66 whatever network it is in: 203.0.113.66/32",
		"203.0.113.7":         "",
	} {
		a, err := networkListFlags{address: address}.parse()
		if err != nil {
			t.Fatal(err)
		}
		s.notes = nil
		s.denies(a)
		if got := strings.Join(s.notes, "\n"); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
