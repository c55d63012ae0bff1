package oauthextension

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"
)

const (
	// fetchTimeout is below the 5 s of a heartbeat, so that its words are those of the
	// token endpoint and not of who waited for it.
	fetchTimeout = 4 * time.Second
	// youngest is the age from which a token that a backend refuses is replaced before
	// its end. A backend that refuses all of them costs the token endpoint no more.
	youngest = 10 * time.Second
)

// tokens of one destination. They are fetched once for all who wait, and each of
// those waits no longer than its own request may take.
type tokens struct {
	config *clientcredentials.Config
	client *http.Client
	broken error // Why there is no client.
	tell   func(string)
	words  words
	now    func() time.Time

	ended  context.Context
	end    context.CancelFunc
	flight singleflight.Group

	mu      sync.Mutex
	token   *oauth2.Token
	fetched time.Time
}

func newTokens(c *Config, client *http.Client, tell func(string)) *tokens {
	t := &tokens{
		config: &clientcredentials.Config{
			ClientID: c.ClientID, ClientSecret: string(c.ClientSecret), TokenURL: c.TokenURL, Scopes: strings.Fields(c.Scope),
		},
		client: client, tell: tell, words: newWords(c), now: time.Now,
	}
	if c.Audience != "" {
		t.config.EndpointParams = url.Values{"audience": {c.Audience}}
	}
	t.ended, t.end = context.WithCancel(context.Background())
	return t
}

// get is a token that is good for a request, or an error that begins with noToken.
func (t *tokens) get(ctx context.Context) (*oauth2.Token, error) {
	if t.broken != nil {
		return nil, t.words.explain(t.broken)
	}
	t.mu.Lock()
	token := t.token
	t.mu.Unlock()
	if token.Valid() {
		return token, nil
	}
	select {
	case got := <-t.flight.DoChan("", t.fetch):
		if got.Err != nil {
			return nil, t.words.explain(got.Err)
		}
		return got.Val.(*oauth2.Token), nil
	case <-ctx.Done():
		return nil, t.words.explain(context.Cause(ctx))
	}
}

func (t *tokens) fetch() (any, error) {
	ctx, cancel := context.WithTimeout(t.ended, fetchTimeout)
	defer cancel()
	token, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return nil, err
	}
	t.tell(token.AccessToken)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.fetched = token, t.now()
	return token, nil
}

// refused says that a backend did not take a token, and returns whether there is
// another to be had: it may have been withdrawn before its end.
func (t *tokens) refused(token *oauth2.Token) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != token {
		return true // Somebody else's request found out before.
	}
	if t.now().Sub(t.fetched) < youngest {
		return false
	}
	t.token = nil
	return true
}
