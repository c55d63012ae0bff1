package node

import (
	"testing"

	"k8s.io/client-go/rest"
)

// TestRequestsEnd: reports and owners do not wait for ever, and watches, which share the config, may.
func TestRequestsEnd(t *testing.T) {
	config := &rest.Config{Host: "http://127.0.0.1:1"}
	if got := bounded(config).Timeout; got <= 0 {
		t.Error("a request may last for ever")
	}
	if config.Timeout != 0 {
		t.Error("watches end, too")
	}
}
