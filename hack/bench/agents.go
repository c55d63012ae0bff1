package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// agentRounds is odd, so that the median is one that was measured. All ways take turns in each.
const agentRounds = 3

// price is what one way costs an application.
type price struct {
	ready   float64 // Seconds of CPU until the first answer.
	request float64 // Microseconds of CPU of the application per request.
	beside  float64 // Those of odi beside it.
	mib     float64 // Memory after the load.
}

// ofAgents is a step that measures the ways for one language.
func (b *bench) ofAgents(language string) func() error {
	return func() error {
		a, err := prepare(language)
		if err != nil {
			return err
		}
		prices := map[string][]price{}
		for range b.rounds {
			for _, way := range ways {
				p, err := b.priceOf(a, way)
				if err != nil {
					return fmt.Errorf("measuring %s with %s: %w", language, way, err)
				}
				prices[way] = append(prices[way], p)
			}
		}
		b.report(a, prices)
		return nil
	}
}

// priceOf starts the application in one way, asks it for a while, and ends it.
func (b *bench) priceOf(a application, way string) (p price, err error) {
	received, err := newSink()
	if err != nil {
		return p, err
	}
	defer received.server.Close()
	port, err := freePort()
	if err != nil {
		return p, err
	}
	var odi *odiRun
	if way == ebpf { // It is there before the application, as on a node.
		if odi, err = b.watch("--port", port, "-o", "none", "--otlp", received.url); err != nil {
			return p, err
		}
		defer func() { _ = odi.cmd.Process.Kill() }() // Ended already, unless something failed.
	}
	var said output
	cmd, err := a.start(way, port, received.url, &said)
	if err != nil {
		return p, err
	}
	defer end(cmd)
	if p, err = b.load(a, cmd, odi, "http://127.0.0.1:"+port+a.path); err != nil {
		return p, fmt.Errorf("%w\n%s", err, said.String())
	}
	end(cmd)
	if odi != nil {
		if _, _, err := odi.end(); err != nil {
			return p, err
		}
	}
	if way != without && received.traces.Load() == 0 {
		return p, errors.New("no spans came: nothing was measured")
	}
	return p, nil
}

// load measures the application that was started.
func (b *bench) load(a application, cmd *exec.Cmd, odi *odiRun, url string) (price, error) {
	var p price
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	if err := answers(client, cmd.Process.Pid, url); err != nil {
		return p, err
	}
	ready, err := groupCPU(cmd.Process.Pid)
	if err != nil {
		return p, err
	}
	p.ready = ready.Seconds()
	if err := warmUp(client, url, a.warm); err != nil {
		return p, err
	}
	before, beside, err := bothCPU(cmd, odi)
	if err != nil {
		return p, err
	}
	n, err := load(client, url, b.window, 0)
	if err != nil {
		return p, err
	}
	after, besideAfter, err := bothCPU(cmd, odi)
	if err != nil {
		return p, err
	}
	p.request = float64((after - before).Microseconds()) / float64(n)
	p.beside = float64((besideAfter - beside).Microseconds()) / float64(n)
	p.mib, err = groupMiB(cmd.Process.Pid)
	return p, err
}

// warmUp asks so often, but not for long: where others work, too, time says little about how far compilers are.
func warmUp(client *http.Client, url string, requests int64) error {
	var done int64
	for deadline := time.Now().Add(40 * time.Second); done < requests && time.Now().Before(deadline); {
		n, err := load(client, url, 200*time.Millisecond, 0)
		if err != nil {
			return err
		}
		done += n
	}
	return nil
}

func (a application) start(way, port, endpoint string, said *output) (*exec.Cmd, error) {
	cmd := a.command(a, port)
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "HOME="+os.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
	if way == agent || way == plain {
		cmd.Env = append(append(cmd.Env, "OTEL_SERVICE_NAME=app", "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint), a.env(a, way)...)
	}
	return cmd, cmd.Start()
}

// end ends an application and its children; twice is no harm.
func end(cmd *exec.Cmd) {
	if cmd.ProcessState != nil {
		return
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	timer := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer timer.Stop()
	_ = cmd.Wait() // A signal ended it.
}

// answers waits for the first answer of a process.
func answers(client *http.Client, pid int, url string) error {
	var last error
	for deadline := time.Now().Add(4 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if last = ask(client, url); last == nil {
			return nil
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(stat), ") Z ") {
			return errors.New("the application has ended")
		}
	}
	return fmt.Errorf("waiting for the first answer: %w", last)
}

func bothCPU(cmd *exec.Cmd, odi *odiRun) (application, beside time.Duration, err error) {
	if odi != nil {
		if beside, err = cpu(odi.pid()); err != nil {
			return 0, 0, err
		}
	}
	application, err = groupCPU(cmd.Process.Pid)
	return application, beside, err
}

// sink takes whatever is sent by OTLP over HTTP.
type sink struct {
	url    string
	server *http.Server
	traces atomic.Int64 // Requests.
	spans  atomic.Int64 // Those in requests of protobuf.
}

func newSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{url: "http://" + listener.Addr().String()}
	s.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			s.traces.Add(1)
			s.spans.Add(spansIn(r))
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if strings.Contains(r.Header.Get("Content-Type"), "json") {
			_, _ = io.WriteString(w, "{}")
		}
	})}
	go func() { _ = s.server.Serve(listener) }() // It ends when it is closed.
	return s, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
