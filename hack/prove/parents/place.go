package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// place is where things are found and built.
type place struct {
	odi, cache, apps string
}

func newPlace(f flags) (place, error) {
	var p place
	for _, path := range []struct {
		to   *string
		from string
	}{{&p.odi, f.odi}, {&p.cache, f.cache}, {&p.apps, f.apps}} {
		abs, err := filepath.Abs(path.from)
		if err != nil {
			return p, err
		}
		*path.to = abs
	}
	if _, err := os.Stat(p.odi); err != nil {
		return p, fmt.Errorf("finding odi (make build): %w", err)
	}
	return p, os.MkdirAll(p.cache, 0o755)
}

// install gets what the programs need, with the ordinary clients. What cannot be
// had is an error: nothing is left out in silence.
func (p place) install(ctx context.Context, programs []subject) error {
	var packages []string
	builds := map[build]bool{}
	for _, r := range programs {
		packages = append(packages, r.packages...)
		builds[r.build] = true
	}
	slices.Sort(packages)
	if err := p.installPackages(ctx, slices.Compact(packages)); err != nil {
		return err
	}
	steps := map[build][]string{
		buildGo:   {"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", p.cache + "/goapp", p.apps + "/goapp"},
		buildJava: {"javac", "-d", p.cache + "/java", p.apps + "/java/App.java"},
		buildRust: {"cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", p.apps + "/rust/Cargo.toml", "--target-dir", p.cache + "/rust"},
	}
	for which, step := range steps {
		if !builds[which] {
			continue
		}
		if which == buildRust {
			vendored, err := vendorCrates(ctx, p.apps+"/rust/Cargo.lock", p.cache+"/crates")
			if err != nil {
				return err
			}
			step = append(step, vendored...)
		}
		if err := runStep(ctx, step...); err != nil {
			return err
		}
	}
	for _, r := range programs {
		if err := p.installPip(ctx, r.pip); err != nil {
			return err
		}
	}
	return nil
}

// installPip installs name==version into the cache, once.
func (p place) installPip(ctx context.Context, which string) error {
	name, version, found := strings.Cut(which, "==")
	if !found {
		return nil
	}
	done := filepath.Join(p.cache, "pip", name+"-"+version+".dist-info")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	return runStep(ctx, "python3", "-m", "pip", "install", "-q", "--upgrade", "--no-deps", "--target", p.cache+"/pip", which)
}

func runStep(ctx context.Context, step ...string) error {
	cmd := exec.CommandContext(ctx, step[0], step[1:]...)
	if rustc := filepath.Join(filepath.Dir(cmd.Path), "rustc"); step[0] == "cargo" && exists(rustc) {
		cmd.Env = append(cmd.Environ(), "RUSTC="+rustc) // not another toolchain's, which may come first
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) && step[0] == "cargo" {
		return errors.New("building the Rust program needs cargo; hack/setup.sh installs it")
	}
	if err != nil {
		return fmt.Errorf("running %s: %w: %s", step[0], err, out)
	}
	return nil
}

// installPackages installs those of Debian that are missing; none starts a service.
func (p place) installPackages(ctx context.Context, packages []string) error {
	missing := slices.DeleteFunc(packages, func(name string) bool {
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${db:Status-Abbrev}", name).Output()
		return err == nil && string(out) == "ii "
	})
	if len(missing) == 0 {
		return nil
	}
	const policy = "/usr/sbin/policy-rc.d"
	if _, err := os.Stat(policy); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
			return fmt.Errorf("keeping services from starting: %w", err)
		}
		defer func() { _ = os.Remove(policy) }() // it was not there before
	}
	fmt.Fprintln(os.Stderr, "installing", strings.Join(missing, " "))
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("installing packages (apt-get update first): %w: %s", err, out)
	}
	return nil
}

// trace runs a program under odi, puts load on it, and returns the spans.
func (p place) trace(ctx context.Context, r subject, l level) ([]span, error) {
	dir, err := os.MkdirTemp("", "prove-parents")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // nothing but our own files
	back, err := newBackend()
	if err != nil {
		return nil, err
	}
	defer back.close()
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	words := strings.NewReplacer("LOCATION", r.location, "PORT", port, "BACKEND", back.address, "DIR", dir, "APPS", p.apps, "CACHE", p.cache)
	if err := p.writeFiles(r, dir, words); err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(dir, "spans"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // another process writes it
	cmd := p.command(r, words)
	cmd.Env = append(append(os.Environ(), "PORT="+port, "BACKEND=http://"+back.address, "MODE="+r.mode), r.env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting odi: %w", err)
	}
	err = load(ctx, "http://127.0.0.1:"+port, l)
	_ = cmd.Process.Signal(syscall.SIGTERM) // or it has ended, which load has noticed
	if err := errors.Join(err, waitFor(cmd, 20*time.Second)); err != nil {
		return nil, fmt.Errorf("%w: %s", err, tail(said.String()))
	}
	return readSpans(out.Name())
}

func (p place) writeFiles(r subject, dir string, words *strings.Replacer) error {
	for name, from := range r.files {
		text, err := os.ReadFile(filepath.Join(p.apps, from))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(words.Replace(string(text))), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// command is odi run with the program, in a process group of its own.
func (p place) command(r subject, words *strings.Replacer) *exec.Cmd {
	args := []string{"run", "-o", "json", "--as-root", "--"} // the programs' files are root's
	for _, word := range r.command {
		args = append(args, words.Replace(word))
	}
	cmd := exec.Command(p.odi, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// waitFor ends the whole group of a command that does not end by itself. The exit
// code is the application's: whoever was told to end may end with any.
func waitFor(cmd *exec.Cmd, patience time.Duration) error {
	late := time.AfterFunc(patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	stopped := late.Stop()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // PHP's workers outlive their parent; or nobody is left
	if !stopped {
		return errors.New("odi run does not end")
	}
	if code := new(exec.ExitError); errors.As(err, &code) || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

func tail(text string) string {
	return text[max(0, len(text)-2000):]
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }() // nobody has connected
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// backend answers whatever it is asked after a while that differs.
type backend struct {
	address string
	server  *http.Server
}

func newBackend() (*backend, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{address: l.Addr().String()}
	b.server = &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: time.Minute}
	go func() { _ = b.server.Serve(l) }() // until close
	return b, nil
}

func (b *backend) close() { _ = b.server.Close() }

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
