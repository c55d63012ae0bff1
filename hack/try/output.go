package main

import (
	"bytes"
	"io"
	"sync"
)

// watched passes output on, keeps it, and tells when there is more.
type watched struct {
	to   io.Writer
	news chan struct{}

	mu   sync.Mutex
	kept bytes.Buffer
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.kept.Write(p)
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
	return w.to.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.String()
}
