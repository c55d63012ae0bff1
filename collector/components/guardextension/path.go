package guardextension

import (
	"net/http"
	"strings"
)

const (
	// pathHeader holds a secret that belongs into the path of an address. Exporters
	// print their addresses in what they log and answer, and headers never.
	pathHeader = "Odi-Path"
	// pathPlace is where it belongs.
	pathPlace = "/~"
)

// hiddenPath puts the secret where it belongs, below everything that prints addresses.
type hiddenPath struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (h hiddenPath) RoundTrip(request *http.Request) (*http.Response, error) {
	secret := request.Header.Get(pathHeader)
	if secret == "" {
		return h.next.RoundTrip(request)
	}
	sent := request.Clone(request.Context())
	sent.Header.Del(pathHeader)
	sent.URL.Path, sent.URL.RawPath = strings.Replace(sent.URL.Path, pathPlace, "/"+secret, 1), ""
	return h.next.RoundTrip(sent)
}
