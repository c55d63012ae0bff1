package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	// requests that are sent; the first opens the connections, the others reuse them.
	requests = 3
	// patience bounds each step.
	patience = 20 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := try(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "try:", err)
		stop()
		os.Exit(1)
	}
}

// try plays the whole story.
func try(ctx context.Context) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("needs root: sudo make try")
	}
	dir, err := os.MkdirTemp("", "odi-try-")
	if err != nil {
		return fmt.Errorf("making a place to build in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	step("building `odi run` and two services of the demo shop, one stripped (the first time about 2 min)")
	if err := build(ctx, dir); err != nil {
		return err
	}
	pricing, err := startService(ctx, filepath.Join(dir, "pricing"))
	if err != nil {
		return err
	}
	defer pricing.stop()
	catalogue, err := startService(ctx, filepath.Join(dir, "catalogue"), "PRICING=http://"+pricing.address)
	if err != nil {
		return err
	}
	defer catalogue.stop()

	step("odi run --port %s --pid %d", catalogue.port(), pricing.cmd.Process.Pid)
	odi, err := startOdi(ctx, filepath.Join(dir, "odi"), catalogue.port(), pricing.cmd.Process.Pid)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, odi.stop()) }()
	step("%d requests to http://%s/products/...", requests, catalogue.address)
	if err := ask(ctx, catalogue.address); err != nil {
		return err
	}
	if err := odi.await(ctx, linkedTraces(requests)); err != nil {
		return fmt.Errorf("no trace through both services: %w", err)
	}
	step("ctrl-c: odi detaches and prints its books")
	if err := odi.stop(); err != nil {
		return fmt.Errorf("stopping odi run: %w", err)
	}
	return checkBooks(odi.output.String())
}

func step(format string, args ...any) { fmt.Printf("\n== "+format+"\n", args...) }

func build(ctx context.Context, dir string) error {
	for folder, flags := range map[string][]string{
		"./hack/try/odi":             nil,
		"./hack/demo/shop/catalogue": nil,
		"./hack/demo/shop/pricing":   {"-trimpath", "-ldflags", "-s -w"},
	} {
		args := append([]string{"build", "-o", dir}, flags...)
		cmd := exec.CommandContext(ctx, "go", append(args, folder)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", folder, err, output)
		}
	}
	return nil
}

// ask sends the requests one after the other.
func ask(ctx context.Context, address string) error {
	for i := range requests {
		if err := get(ctx, fmt.Sprintf("http://%s/products/order-%d", address, i+1)); err != nil {
			return err
		}
	}
	return nil
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return nil
}

var (
	// linked is the tree of one request through both services.
	linked = regexp.MustCompile(`(?m)^  catalogue +server GET /products/\S+ .*\n^  └─ catalogue +client GET \S+ .*\n^     └─ pricing +server GET /price/\S+ `)
	books  = regexp.MustCompile(`(?m)^seen (\d+) = sent (\d+) \+ dropped (\d+)( \(.*\))?$`)
)

// linkedTraces is done when so many whole traces were printed.
func linkedTraces(n int) func(output string) bool {
	return func(output string) bool { return len(linked.FindAllString(output, -1)) >= n }
}

func checkBooks(output string) error {
	found := books.FindStringSubmatch(output)
	if found == nil {
		return errors.New("odi run printed no books, or they do not close")
	}
	if want := fmt.Sprint(3 * requests); found[1] != want || found[2] != want {
		return fmt.Errorf("want %s spans of %d requests seen and sent, got %s", want, requests, found[0])
	}
	return nil
}

// service is one service of the shop that was started.
type service struct {
	cmd     *exec.Cmd
	address string
}

func (s *service) port() string {
	_, port, _ := strings.Cut(s.address, ":")
	return port
}

func (s *service) stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()
}

// startService starts a program that takes its address from LISTEN and waits until it answers.
func startService(ctx context.Context, path string, env ...string) (*service, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{cmd: exec.Command(path), address: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s.cmd.Env = append(append(os.Environ(), env...), "LISTEN="+s.address)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(path), err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := get(ctx, "http://"+s.address+"/healthz")
		if err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			s.stop()
			return nil, fmt.Errorf("waiting for %s: %w", filepath.Base(path), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// run is a running `odi run`.
type run struct {
	cmd    *exec.Cmd
	output *watched
	ended  chan error
}

// startOdi starts odi and waits until it traces both services.
func startOdi(ctx context.Context, path, port string, pid int) (*run, error) {
	r := &run{
		cmd:    exec.Command(path, "run", "--port", port, "--pid", fmt.Sprint(pid)),
		output: &watched{to: os.Stdout, news: make(chan struct{}, 1)},
		ended:  make(chan error, 1),
	}
	// A variable of the caller's must not send the spans elsewhere.
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "OTEL_") {
			r.cmd.Env = append(r.cmd.Env, v)
		}
	}
	r.cmd.Stdout, r.cmd.Stderr = r.output, r.output
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting odi run: %w", err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	tracing := func(output string) bool {
		return strings.Contains(output, "tracing catalogue") && strings.Contains(output, "tracing pricing")
	}
	if err := r.await(ctx, tracing); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for odi run to attach: %w", err), r.stop())
	}
	return r, nil
}

// await waits until the output is as wanted.
func (r *run) await(ctx context.Context, done func(output string) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !done(r.output.String()) {
		select {
		case <-r.output.news:
		case err := <-r.ended:
			r.ended <- err
			return fmt.Errorf("odi run ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stop interrupts odi, as ctrl-c does. It may be called twice.
func (r *run) stop() error {
	_ = r.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case err := <-r.ended:
		r.ended <- nil
		return err
	case <-time.After(patience):
		return errors.Join(errors.New("it does not end"), r.cmd.Process.Kill())
	}
}
