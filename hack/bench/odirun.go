package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	rooms "github.com/odi-dev/odi/bpf/protocols"
)

// odiRun is `odi run` beside the measured processes.
type odiRun struct {
	cmd *exec.Cmd
	err output
	out output
}

// output is what odi has said so far.
type output struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.String()
}

// books is what odi run says when it ends.
type books struct {
	seen, sent, dropped int64
	// lost are those of dropped that were not left out on purpose, as what brokers are asked for besides.
	lost int64
}

// watch starts odi run and waits until its programs are attached.
func (b *bench) watch(args ...string) (*odiRun, error) {
	r := &odiRun{cmd: exec.Command(b.odi, append([]string{"run"}, args...)...)}
	r.cmd.Stderr, r.cmd.Stdout = &r.err, &r.out
	r.cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf") // Where it is told to send.
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	have, since, busy := 0, time.Now(), time.Duration(0)
	var missing []string
	for deadline := time.Now().Add(attachMax); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		o, err := objectsOf(r.pid())
		if err != nil {
			return nil, fmt.Errorf("starting odi run: %s", r.err.String())
		}
		did, err := cpu(r.pid())
		if err != nil {
			return nil, fmt.Errorf("starting odi run: %s", r.err.String())
		}
		if o.programs != have || did-busy > starts {
			have, since, busy = o.programs, time.Now(), did
		}
		if have < programs || o.links < links || time.Since(since) <= loaded {
			continue
		}
		if missing = missingRooms(r.pid()); len(missing) == 0 {
			return r, nil
		}
	}
	_, _, _ = r.end()
	return nil, fmt.Errorf("waiting for odi run (without %v): %s", missing, r.err.String())
}

// missingRooms are the protocols whose programs are not loaded yet. On a machine that others use the
// kernel may rest for long between two of them: what is asked until then is not seen, nor counted.
func missingRooms(pid int) (missing []string) {
	const longest = 15         // of a program's name, where the kernel's description of its functions is not read
	have, _ := programsOf(pid) // one that has ended has none
	for _, p := range rooms.All() {
		name := "odi_" + p.Name + "_received"
		_, whole := have[name]
		_, cut := have[name[:min(len(name), longest)]]
		if p.Apart && !whole && !cut {
			missing = append(missing, p.Name)
		}
	}
	return missing
}

// The engine has 10 programs; 6 tracepoints and one cgroup are always attached.
const (
	programs = 10
	links    = 7
)

// loaded is how long no program comes when all have, and odi needs no CPU time worth the
// name: targets are added after the first ones, and other protocols are loaded beside
// everything else, which the kernel may check for longer than a second.
const (
	loaded = time.Second
	starts = 20 * time.Millisecond
)

func (r *odiRun) pid() int { return r.cmd.Process.Pid }

// end stops odi run as a user does and reads its books.
func (r *odiRun) end() (books, time.Duration, error) {
	start := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return books{}, 0, err
	}
	if err := r.cmd.Wait(); err != nil {
		return books{}, 0, fmt.Errorf("stopping odi run: %w: %s", err, r.err.String())
	}
	took := time.Since(start)
	for line := range strings.Lines(r.err.String()) {
		if bk, ok := parseBooks(line); ok {
			return bk, took, nil
		}
	}
	return books{}, 0, fmt.Errorf("odi run printed no books: %s", r.err.String())
}

// parseBooks reads "seen N = sent N + dropped N ...".
func parseBooks(line string) (books, bool) {
	f := strings.Fields(line)
	if len(f) < 8 || f[0] != "seen" || f[3] != "sent" || f[6] != "dropped" {
		return books{}, false
	}
	var bk books
	for at, to := range map[int]*int64{1: &bk.seen, 4: &bk.sent, 7: &bk.dropped} {
		n, err := strconv.ParseInt(f[at], 10, 64)
		if err != nil {
			return books{}, false
		}
		*to = n
	}
	bk.lost = bk.dropped
	for i := 8; i+1 < len(f); i += 2 { // "(no_messages 3, ring_full 1)"
		if n, err := strconv.ParseInt(strings.TrimRight(f[i+1], ",)"), 10, 64); err == nil && strings.TrimLeft(f[i], "(") == "no_messages" {
			bk.lost -= n
		}
	}
	return bk, true
}
