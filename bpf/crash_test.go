package bpf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
)

// loaderEnv makes the test binary load an engine for the given process and wait
// to be killed.
const loaderEnv = "ODI_TEST_LOADER"

func TestMain(m *testing.M) {
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
	if err := e.Run(ctx, func(probe.Exchange) {}); err != nil && ctx.Err() == nil {
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
	t.Run("go and python", func(t *testing.T) {
		if lost := endUnderLoad(t, syscall.SIGKILL, "direct", "python"); len(lost) > 0 {
			t.Errorf("failed: %v", lost)
		}
	})
	// What the kernel holds for a proxy in a socket map's queue is lost when
	// the map goes before the proxy has read it, and a killed loader cannot
	// wait for that. So requests under way may fail here, no later one.
	t.Run("proxy", func(t *testing.T) {
		lost := endUnderLoad(t, syscall.SIGKILL, "nginx", "direct")
		t.Logf("%d requests that were under way at one of %d kills failed", len(lost), ends)
		for _, l := range lost {
			if !l.underWay {
				t.Errorf("failed, and was not under way at a kill: %v", l.err)
			}
		}
	})
}

// TestCloseUnderLoad ends the loader as odi ends it: not one request fails,
// through a proxy or not.
func TestCloseUnderLoad(t *testing.T) {
	needRoot(t)
	if lost := endUnderLoad(t, syscall.SIGTERM, "nginx", "direct", "python"); len(lost) > 0 {
		t.Errorf("failed: %v", lost)
	}
}

// ends is how often endUnderLoad ends a loader.
const ends = 5

// lostRequest is a request that failed.
type lostRequest struct {
	err      error
	started  time.Time
	underWay bool // when a loader ended
}

// endUnderLoad ends loaders with sig while 16 clients ask without a pause, and
// returns the requests that failed.
func endUnderLoad(t *testing.T, sig syscall.Signal, hops ...string) []lostRequest {
	base, pids := chain(t, hops...)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	var lost []lostRequest
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	for i := range 16 {
		clients.Go(func() {
			for !closed(stop) {
				started := time.Now()
				if err := fetch(client, fmt.Sprintf("%s/k%d", base, i)); err != nil {
					mu.Lock()
					lost = append(lost, lostRequest{err: err, started: started})
					mu.Unlock()
				}
			}
		})
	}
	type span struct{ from, to time.Time }
	var ending []span
	for range ends {
		from := endLoader(t, sig, pids)
		ending = append(ending, span{from, time.Now()})
	}
	close(stop)
	clients.Wait()
	for i := range lost {
		for _, e := range ending {
			// A request takes milliseconds; one that started a second before is not lost by the end.
			lost[i].underWay = lost[i].underWay || lost[i].started.After(e.from.Add(-time.Second)) && lost[i].started.Before(e.to)
		}
	}
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
// work, waits until its programs are gone, and returns when it was ended.
func endLoader(t *testing.T, sig syscall.Signal, pids []uint32) time.Time {
	t.Helper()
	loader := exec.Command(os.Args[0])
	loader.Env = append(os.Environ(), loaderEnv+"="+strings.Trim(fmt.Sprint(pids), "[]"))
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
	from := time.Now()
	if err := loader.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	_ = loader.Wait()
	gone(t, ids)
	return from
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
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if err := exec.Command("bpftool", "prog", "show", "id", id).Run(); err != nil {
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
