package oauthextension

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/odi-dev/odi/collector/components/ask"
)

// noToken begins every error of this package. odi finds the cause behind it.
const noToken = "no OAuth2 token: "

// longestWords is what people read of a token endpoint's answer; it may be a whole page.
const longestWords = 320

// words says why there is no token, without a secret: an exporter logs errors.
type words struct{ secrets ask.Secrets }

func newWords(c *Config) words {
	secret := string(c.ClientSecret)
	return words{secrets: ask.NewSecrets(secret, Basic(c.ClientID, secret))}
}

// Basic is what a client says in the header authorization of a request for a token.
func Basic(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
}

func (w words) explain(err error) error {
	text := err.Error()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		text = answer(refused)
	}
	text = strings.TrimPrefix(text, "oauth2: ")
	return errors.New(noToken + w.secrets.Hide(strings.Join(strings.Fields(text), " "), longestWords))
}

// answer is that of a token endpoint: the names of RFC 6749 where it has them, else its page.
func answer(refused *oauth2.RetrieveError) string {
	status := refused.Response.StatusCode
	said := string(refused.Body)
	if refused.ErrorCode != "" {
		said = strings.TrimSuffix(refused.ErrorCode+": "+refused.ErrorDescription, ": ")
	}
	return strings.TrimSuffix(fmt.Sprintf("HTTP %d %s: %s", status, http.StatusText(status), said), ": ")
}
