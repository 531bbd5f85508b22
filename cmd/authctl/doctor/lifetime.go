package doctor

import (
	"fmt"
	"time"
)

// tokenLifetime: an answer may be used for the TTL after the token expired.
func (c *Case) tokenLifetime() (string, []Finding) {
	ttl := c.Authorizer.TTL
	if ttl == 0 {
		return "nothing is kept, so an expired token is refused at once", nil
	}
	var findings []Finding
	judge := func(what string, lifetime time.Duration, fix ...string) {
		if ttl > lifetime {
			findings = append(findings, Finding{Warning, fmt.Sprintf("results are kept for %s s, %s %s s", seconds(ttl), what, seconds(lifetime)),
				"an answer outlives its token by more than the token's own lifetime", fix})
		}
	}
	if c.TokenLifetime > 0 {
		shorter := seconds(c.TokenLifetime)
		judge("the token lives", c.TokenLifetime, append(
			c.setAuthorizer(patch{"replace", "/authorizerResultTtlInSeconds", shorter}, "--authorizer-result-ttl-in-seconds", shorter),
			c.write("gateway.cache_ttl", "%ss", shorter))...)
	}
	for i, issuer := range c.Config.Issuers {
		key := fmt.Sprintf("issuers[%d].max_token_age", i)
		switch {
		case issuer.MaxTokenAge > 0:
			judge("tokens of "+issuer.Name+" are accepted for", issuer.MaxTokenAge, c.write(key, "raise it, or lower the TTL"))
		case c.TokenLifetime == 0:
			findings = append(findings, Finding{Note, "how long tokens of " + issuer.Name + " live is not known, so the TTL was not compared with it",
				fmt.Sprintf("an answer is used up to %s s after its token expired", seconds(ttl)),
				[]string{"give one of its tokens: authctl doctor … --token - <token.jwt", c.write(key, "set it")}})
		}
	}
	return fmt.Sprintf("no shorter than the TTL; an answer is used up to %s s after its token expired", seconds(ttl)), findings
}
