package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

const wakingProgram = "odi_waking"

// waking is the program that looks at requests over Unix sockets before they are
// read. It runs for every segment that any socket of the machine receives, so it is
// attached only once a target has a Unix socket.
type waking struct {
	loaded chan struct{} // closed when it is there, or cannot be had

	mu   sync.Mutex
	prog *ebpf.Program
	link link.Link // nil: not yet
	done bool      // it is attached, cannot be had, or is not wanted any more
}

// loadWaking loads it if the kernel has its tracepoint: beside everything else, as hardly
// anybody waits for it.
func (e *Engine) loadWaking(k *kit) {
	defer close(e.waking.loaded)
	coll, err := k.load(e.maps, wakingProgram)
	e.waking.mu.Lock()
	defer e.waking.mu.Unlock()
	if err == nil {
		defer coll.Close() // its maps are the engine's once more
		e.waking.prog = coll.DetachProgram(wakingProgram)
		return
	}
	e.waking.done = true
	if !errors.Is(err, ebpf.ErrNotSupported) {
		e.log.Debug("requests over Unix sockets cannot be looked at early", "error", err, "verifier", verifierLog(err))
		e.lacks("some parents of requests over Unix sockets (" + firstLine(err) + ")")
	}
	if err := e.neverAsk(); err != nil {
		e.log.Warn("the programs go on asking for another", "error", err)
	}
}

// neverAsk has the programs ask for it no more.
func (e *Engine) neverAsk() error {
	if err := e.maps["wakes"].Put(uint32(0), uint32(1)); err != nil {
		return fmt.Errorf("telling that Unix sockets are looked at: %w", err)
	}
	return nil
}

// attachWaking attaches it, once, as soon as it is loaded.
func (e *Engine) attachWaking() {
	<-e.waking.loaded
	e.waking.mu.Lock()
	defer e.waking.mu.Unlock()
	if e.waking.done {
		return
	}
	e.waking.done = true
	l, err := link.AttachTracing(link.TracingOptions{Program: e.waking.prog})
	if err == nil {
		e.waking.link, err = l, e.neverAsk()
	}
	if err != nil {
		e.log.Warn("some requests over Unix sockets will have no parent at their server", "reason", err)
	}
}

// wakeIfUnix attaches it if a process has a Unix socket that requests may come over.
func (e *Engine) wakeIfUnix(pid uint32) {
	e.waking.mu.Lock()
	done := e.waking.done
	e.waking.mu.Unlock()
	if !done && hasUnixStream(pid) {
		e.attachWaking()
	}
}

func (w *waking) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	var errs []error
	if w.link != nil {
		errs = append(errs, w.link.Close())
	}
	return errors.Join(append(errs, w.prog.Close())...)
}

// hasUnixStream tells whether a process has a Unix stream socket beside its standard
// files, which lead to the system's log.
func hasUnixStream(pid uint32) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false // gone
	}
	var streams map[string]bool
	for _, entry := range entries {
		if name := entry.Name(); name == "0" || name == "1" || name == "2" {
			continue
		}
		to, err := os.Readlink(dir + "/" + entry.Name())
		if err != nil || !strings.HasPrefix(to, "socket:") {
			continue
		}
		if streams == nil {
			if streams, err = unixStreams(pid); err != nil {
				return false
			}
		}
		if streams[to] {
			return true
		}
	}
	return false
}

// unixStreams lists the Unix stream sockets of a process's network namespace, as
// their descriptors are named.
func unixStreams(pid uint32) (map[string]bool, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/net/unix", pid))
	if err != nil {
		return nil, fmt.Errorf("listing Unix sockets: %w", err)
	}
	defer func() { _ = f.Close() }()
	streams := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		const kind, stream, inode = 4, "0001", 6
		if fields := strings.Fields(lines.Text()); len(fields) > inode && fields[kind] == stream {
			streams["socket:["+fields[inode]+"]"] = true
		}
	}
	return streams, nil
}
