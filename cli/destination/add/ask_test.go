package add

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// TestWhatIsNeededIsAskedFor on a terminal: what a given field means nothing without.
func TestWhatIsNeededIsAskedFor(t *testing.T) {
	for name, tc := range map[string]struct {
		given       values
		typed       string
		want        values
		wantPrompts []string
	}{
		"a client of a token endpoint": {
			values{"endpoint": "https://x", "oauth2_token_url": "https://idp/token"}, "odi\nhunter2\n",
			values{"oauth2_client_id": "odi", "oauth2_client_secret": "hunter2"}, []string{"Client ID: ", "Client secret: "},
		},
		"a token endpoint, where scopes are given": {
			values{"endpoint": "https://x", "oauth2_scopes": "write"}, "not an address\nhttps://idp/token\nodi\nhunter2\n",
			values{"oauth2_token_url": "https://idp/token", "oauth2_client_id": "odi", "oauth2_client_secret": "hunter2"}, []string{"Token endpoint: "},
		},
		"a password": {
			values{"endpoint": "https://x", "username": "odi"}, "hunter2\n", values{"password": "hunter2"}, []string{"Password: "},
		},
		"nothing": {values{"endpoint": "https://x", "header_value": "hunter2"}, "", values{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			typ, err := destinations.Get("otlphttp")
			if err != nil {
				t.Fatal(err)
			}
			var prompts bytes.Buffer
			want := maps.Clone(tc.given)
			maps.Copy(want, tc.want)
			io := streams.Streams{In: strings.NewReader(tc.typed), Err: &prompts, InTerminal: true}
			if err := ask(t.Context(), io, typ, tc.given, nil); err != nil || !maps.Equal(tc.given, want) {
				t.Errorf("%v: %v, want %v\n%s", err, tc.given, want, prompts.String())
			}
			for _, prompt := range tc.wantPrompts {
				if !strings.Contains(prompts.String(), prompt) {
					t.Errorf("%q is not asked for:\n%s", prompt, prompts.String())
				}
			}
			if tc.wantPrompts == nil && prompts.Len() > 0 {
				t.Errorf("it asks:\n%s", prompts.String())
			}
			if err := tc.given.check(typ, nil); err != nil {
				t.Error(err)
			}
		})
	}
}
