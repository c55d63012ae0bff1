package agentsextension

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	// mostAtOnce bounds the requests that are read at a time, each of a few MiB at the most.
	mostAtOnce = 32
	// mostOfOne leaves room for others where one pod has many processes.
	mostOfOne = 8
	// retryAfter is when the odiglet will have told of a pod that has just started.
	retryAfter = 2 * time.Second
)

// GetHTTPHandler implements extensionmiddleware.HTTPServer.
func (e *Extension) GetHTTPHandler(context.Context) (func(context.Context, http.Handler) (http.Handler, error), error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.admit(w, r, next) }), nil
	}, nil
}

// admit lets in who may send, before a byte of the body is read.
func (e *Extension) admit(w http.ResponseWriter, r *http.Request, next http.Handler) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		e.refuse(w, r, Unknown)
		return
	}
	peer, why := e.who(from.Addr(), e.now())
	if why != Accepted {
		e.refuse(w, r, why)
		return
	}
	if !e.enter(peer.address) {
		e.refuse(w, r, TooMany)
		return
	}
	defer e.leave(peer.address)
	next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), peerKey{}, peer)))
}

func (e *Extension) refuse(w http.ResponseWriter, r *http.Request, why Refusal) {
	e.refused.Add(r.Context(), 1, metric.WithAttributes(attribute.String("reason", string(why))))
	if !why.Passes() {
		http.Error(w, "this pod has no agent of odi's: "+string(why), http.StatusForbidden)
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	http.Error(w, "try again: "+string(why), http.StatusServiceUnavailable)
}

func (e *Extension) enter(address netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.inside >= mostAtOnce || e.insideOf[address] >= mostOfOne {
		return false
	}
	e.inside++
	e.insideOf[address]++
	return true
}

func (e *Extension) leave(address netip.Addr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inside--
	if e.insideOf[address]--; e.insideOf[address] == 0 {
		delete(e.insideOf, address)
	}
}
