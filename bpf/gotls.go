package bpf

import (
	"fmt"
	"io"
	"os"

	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/golang"
	"github.com/odi-dev/odi/internal/procfs"
)

// placeGoTLS attaches to a target's own crypto/tls, if it has that.
func (e *Engine) placeGoTLS(t *target, w *tlsWatch) {
	if t.goTLS == (golang.TLS{}) {
		return
	}
	exe, err := os.Open(fmt.Sprintf("/proc/%d/exe", t.PID))
	if err != nil {
		return // gone
	}
	defer func() { _ = exe.Close() }() // read only
	file, err := procfs.Identify(exe)
	if err != nil {
		return
	}
	e.placeIn(t, w, w.probes, file, func() (io.Closer, error) {
		probes, err := e.sessions.probes.place(func(pid uint32) ([]link.Link, error) { return e.sessions.attachGo(exe, t.goTLS, pid) }, t.PID)
		return closers(probes), err
	})
}

// closers are the probes of one target. They are never shared: what moves would be told of twice where a
// process has its own, too.
type closers []io.Closer

// Close begins to take the probes away.
func (c closers) Close() error { return closeAll(c) }

// attachGo attaches to the functions of crypto/tls: what ends a session first, so that none stays behind, and
// what begins one last, so that none counts as seen from its beginning whose first bytes were missed.
func (s *sessions) attachGo(exe *os.File, at golang.TLS, pid uint32) ([]link.Link, error) {
	var links []link.Link
	for _, place := range []struct {
		program string
		at      uint64
	}{
		{"odi_gotls_close", at.Close}, {"odi_gotls_read", at.Read}, {"odi_gotls_write", at.Write},
		{"odi_gotls_begin", at.Client}, {"odi_gotls_begin", at.Server},
	} {
		if place.at == 0 {
			continue
		}
		l, err := attachUprobe(s.progs[place.program], exe, place.at, pid)
		if err != nil {
			return links, fmt.Errorf("attaching %s: %w", place.program, err)
		}
		links = append(links, l)
	}
	return links, nil
}
