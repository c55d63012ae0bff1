package bpf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// loaderEnv makes the test binary load an engine for the given process and wait
// to be killed.
const loaderEnv = "ODI_TEST_LOADER"

func TestMain(m *testing.M) {
	guard.Main()
	if pids := os.Getenv(loaderEnv); pids != "" {
		if err := loadAndWait(strings.Fields(pids)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func loadAndWait(pids []string) error {
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		return err
	}
	for _, s := range pids {
		var pid uint32
		if _, err := fmt.Sscan(s, &pid); err != nil {
			return err
		}
		if err := e.AddTarget(probe.Target{PID: pid, Propagate: true}); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := e.Run(ctx, func(*probe.Exchange) {}); err != nil && ctx.Err() == nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

// TestKillUnderLoad kills the process that loaded the engine while requests
// run: none of them fails and nothing stays attached.
func TestKillUnderLoad(t *testing.T) {
	needRoot(t)
	for name, hops := range map[string][]string{
		"go and python": {"direct", "python"},
		"proxy":         {"nginx", "direct"},
	} {
		t.Run(name, func(t *testing.T) {
			if lost := endUnderLoad(t, (*os.Process).Kill, hops...); len(lost) > 0 {
				t.Errorf("failed: %v", lost)
			}
		})
	}
}

// TestKillWithGuardUnderLoad kills all that odi runs, as the end of a container does.
func TestKillWithGuardUnderLoad(t *testing.T) {
	needRoot(t)
	killAll := func(loader *os.Process) error {
		for _, pid := range children(t, uint32(loader.Pid)) {
			if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
				return err
			}
		}
		return loader.Kill()
	}
	if lost := endUnderLoad(t, killAll, "nginx", "direct"); len(lost) > 0 {
		t.Errorf("failed: %v", lost)
	}
}

// TestCloseUnderLoad ends the loader as odi ends it: not one request fails,
// through a proxy or not.
func TestCloseUnderLoad(t *testing.T) {
	needRoot(t)
	terminate := func(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
	if lost := endUnderLoad(t, terminate, "nginx", "direct", "python"); len(lost) > 0 {
		t.Errorf("failed: %v", lost)
	}
}

// ends is how often endUnderLoad ends a loader.
const ends = 5

// endUnderLoad ends loaders while 16 clients ask without a pause, and returns
// how the requests that failed did so.
func endUnderLoad(t *testing.T, end func(*os.Process) error, hops ...string) []error {
	base, pids := chain(t, hops...)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	var lost []error
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	for i := range 16 {
		clients.Go(func() {
			for !closed(stop) {
				if err := fetch(client, fmt.Sprintf("%s/k%d", base, i)); err != nil {
					mu.Lock()
					lost = append(lost, err)
					mu.Unlock()
				}
			}
		})
	}
	for range ends {
		endLoader(t, end, pids)
	}
	close(stop)
	clients.Wait()
	return lost
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// endLoader starts a loader for the processes, ends it in the midst of their
// work, and waits until its programs are gone.
func endLoader(t *testing.T, end func(*os.Process) error, pids []uint32) {
	t.Helper()
	loader := program.Command(t, os.Args[0])
	loader.Env = append(loader.Env, loaderEnv+"="+strings.Trim(fmt.Sprint(pids), "[]"))
	out, err := loader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 6)
	if _, err := io.ReadFull(out, line); err != nil || !bytes.HasPrefix(line, []byte("ready")) {
		t.Fatalf("the loader said %q: %v", line, err)
	}
	time.Sleep(700 * time.Millisecond)
	ids := programsOf(t, loader.Process.Pid)
	if err := end(loader.Process); err != nil {
		t.Fatal(err)
	}
	_ = loader.Wait()
	gone(t, ids)
}

func fetch(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, resp.StatusCode)
	}
	return nil
}

// programsOf lists the programs that a process holds, by id.
func programsOf(t *testing.T, pid int) []string {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, info := range infos {
		data, err := os.ReadFile(info)
		if err != nil {
			continue // closed meanwhile
		}
		for line := range strings.Lines(string(data)) {
			if id, ok := strings.CutPrefix(line, "prog_id:"); ok {
				ids = append(ids, strings.TrimSpace(id))
			}
		}
	}
	if len(ids) == 0 {
		t.Fatal("the loader holds no programs")
	}
	return ids
}

// gone waits until none of the programs is in the kernel any more.
func gone(t *testing.T, ids []string) {
	t.Helper()
	for _, id := range ids {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if err := program.Command(t, "bpftool", "prog", "show", "id", id).Run(); err != nil {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("program %s is left", id)
				break
			}
		}
	}
}

// TestProxyForwards sends what proxies care about through nginx: big responses
// (FIONREAD) and a traceparent from outside, which nginx forwards.
func TestProxyForwards(t *testing.T) {
	needRoot(t)
	for _, kind := range []string{"nginx", "proxy"} {
		t.Run(kind, func(t *testing.T) {
			base, pids := chain(t, kind, "direct")
			r := record(t, pids...)
			const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
			body := get(t, http.DefaultClient, base+"/forwarded", "traceparent", "00-"+trace+"-"+parent+"-01")
			spans := r.waitFor(3)
			judge(t, spans)
			var client span
			for _, s := range spans {
				if fmt.Sprintf("%x", s.TraceID) != trace {
					t.Errorf("a span left the trace: %x", s.TraceID)
				}
				if s.Kind == probe.Client {
					client = s
				}
			}
			if len(spans) != 3 {
				t.Errorf("%d spans, want 3", len(spans))
				dump(t, spans)
			}
			if want := fmt.Sprintf("[00-%s-%x-01]", trace, client.SpanID); !strings.Contains(body, want) {
				t.Errorf("the last hop saw %q, want %s", body, want)
			}
			for i := range 20 {
				size := 1 << (10 + i%10)
				got := get(t, http.DefaultClient, fmt.Sprintf("%s/big?size=%d", base, size))
				if len(got) < size {
					t.Fatalf("a response of %d bytes arrived with %d", size, len(got))
				}
			}
		})
	}
}
