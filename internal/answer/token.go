package answer

import (
	"fmt"
	"regexp"
	"strings"
)

// noToken begins what the collector's oauthextension says where a token endpoint
// gave no token. The request to the backend was never made.
const noToken = "no OAuth2 token: "

// tokenless begins the causes of that.
const tokenless = "its token endpoint gives no token"

// tokenAnswer has the status of a token endpoint's answer, and the name of RFC 6749
// for what is wrong: no other word of it is in a cause.
var tokenAnswer = regexp.MustCompile(`^HTTP ([0-9]{3})\b[^:]*(?:: (invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type|invalid_scope|access_denied|invalid_target)\b)?`)

// tokenCause is the cause of an error that is about a token; false for any other.
func tokenCause(words string) (cause string, about bool) {
	_, said, about := strings.Cut(words, noToken)
	if !about {
		return "", false
	}
	answered := tokenAnswer.FindStringSubmatch(said)
	switch {
	case answered != nil && answered[2] != "":
		return fmt.Sprintf("%s (%s, %s)", tokenless, answered[1], answered[2]), true
	case answered != nil:
		return fmt.Sprintf("%s (%s)", tokenless, answered[1]), true
	case strings.HasPrefix(said, "cannot parse"), strings.HasPrefix(said, "server response missing"):
		return tokenless + ": there is none in its answer", true
	}
	return tokenless + ": " + Cause(said), true
}

// tokenLasts says whether waiting does not mend a token endpoint's answer.
func tokenLasts(cause string) bool {
	rest, about := strings.CutPrefix(cause, tokenless)
	inner, _ := strings.CutPrefix(rest, ": ")
	return about && (strings.HasPrefix(rest, " (40") || Lasts(inner))
}

// aboutToken fits where the token endpoint's answer has one of these.
func aboutToken(parts ...string) func(question) bool {
	return func(q question) bool {
		rest, about := strings.CutPrefix(q.cause, tokenless)
		if len(parts) == 0 {
			return about
		}
		for _, part := range parts {
			if about && strings.Contains(rest, part) {
				return true
			}
		}
		return false
	}
}

// fetching are clues of token endpoints.
var fetching = []clue{
	{aboutToken("invalid_client", "(401"), always("It does not know the client, or not with this secret: compare oauth2_client_id and oauth2_client_secret " +
		"with what the authorization server has. Has the secret expired?")},
	{aboutToken("invalid_scope"), func(q question) string {
		return fmt.Sprintf("The client may not have these scopes, or the server has none of that name: oauth2_scopes is %q.", q.Config["oauth2_scopes"])
	}},
	{aboutToken("unauthorized_client", "unsupported_grant_type"), always(
		"The client may not use the grant client_credentials: allow it (a \"service account\", or \"machine to machine\") at the authorization server.")},
	{aboutToken("invalid_target", "access_denied", "(403"), always(
		"The client may not have a token for this: look at oauth2_audience, oauth2_scopes and what the authorization server allows it.")},
	{aboutToken("(404", "(405", "redirect", "there is none in its answer"), always("This is not a token endpoint: the authorization server " +
		"names its own as token_endpoint, below /.well-known/openid-configuration.")},
	{aboutToken("invalid_request", "(400"), always("It takes the request for invalid; its words say why. Some servers want oauth2_audience or oauth2_scopes.")},
	{aboutToken("(429"), always("It gives no more tokens for now: a limit of the authorization server.")},
	{aboutToken("(5"), always("The authorization server has trouble of its own: its log has more. Data waits in the queue.")},
	{aboutToken("odi sends nothing"), always("The token endpoint is at an address that is nobody's backend. The chart's value allowedAddresses makes exceptions.")},
	{aboutToken("certificate"), always("ca_pem names the authority of the token endpoint as well, besides the public ones.")},
	{aboutToken(), always("The gateway has to reach the token endpoint, too: oauth2_token_url, DNS, and what NetworkPolicies and firewalls let out.")},
}
