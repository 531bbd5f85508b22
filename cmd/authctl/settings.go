package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lambda-authorizer/config"
)

// place is where the table is, as the command line says.
type place struct {
	table, region, endpoint string
}

func (p *place) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.table, "table", "", "the `name` of the table (default: tables.revocations of the configuration)")
	p.awsFlags(c)
}

func (p *place) awsFlags(c *cobra.Command) {
	c.Flags().StringVar(&p.region, "region", "", "the AWS `region` (default: as the AWS SDK finds it)")
	c.Flags().StringVar(&p.endpoint, "endpoint-url", "", "send every AWS call to this `URL` (default: AWS_ENDPOINT_URL and its like)")
}

// settings are what the commands about revocation know of the configuration.
type settings struct {
	// cfg is nil where there is none. Then the table and the issuer come from
	// the command line, and bounds are the longest possible.
	cfg   *config.Config
	table string
	// given are the flags that led here, to be given again.
	given string
	// notes are what the operator should know before relying on the result.
	notes []string
}

func (s *settings) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// given are the flags of c that say where, as a shell reads them.
func (t *tool) given(c *cobra.Command, p place) string {
	config := ""
	if c.Flags().Changed("config") {
		config = t.config
	}
	var flags string
	for _, f := range [][2]string{{"config", config}, {"table", p.table}, {"region", p.region}, {"endpoint-url", p.endpoint}} {
		if f[1] != "" {
			flags += " --" + f[0] + " " + quote(f[1])
		}
	}
	return flags
}

// settings loads the configuration. A missing or broken one must not keep
// anybody from revoking: with --table it goes without, unless --config named
// that very file.
func (t *tool) settings(c *cobra.Command, p place) (*settings, error) {
	cfg, err := config.Load(t.config, t.env)
	s := &settings{cfg: cfg, table: p.table, given: t.given(c, p)}
	if err != nil {
		if p.table == "" || c.Flags().Changed("config") {
			return nil, usage("the configuration %s cannot be used: give another with --config, or go without one by --table and --issuer-url\n%v", t.config, err)
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		s.cfg = nil
		s.note("going without a configuration (%s): bounds are the longest possible", first)
		return s, nil
	}
	configured := cfg.Tables.Revocations
	const none = "none"
	switch {
	case s.table == "" && configured == none:
		return nil, usage("tables.revocations in %s is none: nothing can be revoked; name the table there, or give --table", t.config)
	case s.table == "":
		s.table = configured
	case configured == none:
		s.note("tables.revocations in %s is none: a function with that configuration looks at no table", t.config)
	case s.table != configured:
		s.note("tables.revocations in %s is %s, not %s: a function with that configuration does not see this table", t.config, configured, s.table)
	}
	return s, nil
}
