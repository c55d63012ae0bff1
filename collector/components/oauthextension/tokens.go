package oauthextension

import (
	"context"
	"errors"
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
	// quiet is how long a token endpoint that refuses (4xx) is left alone. Each attempt is two
	// logins that fail, one for each way to say a secret: who counts them locks clients out.
	quiet = 15 * time.Second
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
	refusal error     // of the token endpoint
	until   time.Time // it is left alone
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
	token, refusal := t.known()
	if refusal != nil {
		return nil, t.words.explain(refusal)
	}
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

// known is what was fetched, and why there is nothing to fetch for now.
func (t *tokens) known() (token *oauth2.Token, refusal error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now().Before(t.until) {
		refusal = t.refusal
	}
	return t.token, refusal
}

func (t *tokens) fetch() (any, error) {
	ctx, cancel := context.WithTimeout(t.ended, fetchTimeout)
	defer cancel()
	token, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		t.failed(err)
		return nil, err
	}
	t.tell(token.AccessToken)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.fetched = token, t.now()
	return token, nil
}

// failed remembers what a token endpoint refused. Any other failure may be over at once.
func (t *tokens) failed(err error) {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response.StatusCode >= http.StatusInternalServerError {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refusal, t.until = err, t.now().Add(quiet)
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
