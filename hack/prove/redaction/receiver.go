package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/odi-dev/odi/hack/servers"
)

// receiver takes what odi sends by OTLP, by HTTP.
type receiver struct {
	addr string
	l    net.Listener
	// refuses says that it takes nothing, and says back who asked.
	refuses bool

	mu  sync.Mutex
	got bytes.Buffer
	err error
}

func receive(refuses bool) (*receiver, error) {
	l, err := servers.Listener()
	if err != nil {
		return nil, err
	}
	r := &receiver{addr: l.Addr().String(), l: l, refuses: refuses}
	go func() { _ = http.Serve(l, r) }() // it ends with the listener
	return r, nil
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := content(req)
	r.mu.Lock()
	r.got.Write(body)
	if err != nil {
		r.err = err
	}
	r.mu.Unlock()
	if r.refuses {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, "not %v at %s", req.Header, req.URL)
	}
}

func content(req *http.Request) ([]byte, error) {
	if req.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(req.Body)
	}
	plain, err := gzip.NewReader(req.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

// end returns what has come.
func (r *receiver) end() ([]byte, error) {
	_ = r.l.Close() // odi is gone
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.Bytes(), r.err
}
