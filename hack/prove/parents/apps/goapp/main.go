// Command goapp serves HTTP and asks a backend for each request, in one of the
// ways that Go programs do: plain, pool, growing, errgroup, fanout, singleflight, proxy.
// It has work of its own all the time. Environment: PORT, BACKEND, MODE.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

type app struct {
	backend string
	client  *http.Client
	once    sync.Once
	turns   atomic.Int64
	flights singleflight.Group
	jobs    chan job
	free    atomic.Int64 // workers that may still be started
	retries chan string
}

type job struct {
	path string
	done chan error
}

func main() {
	a := &app{
		backend: os.Getenv("BACKEND"),
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		jobs:    make(chan job, 256), retries: make(chan string, 256),
	}
	go a.every("/bg/timer/own", 5*time.Millisecond)
	go a.every("/bg/health/own", 20*time.Millisecond)
	go func() {
		for number := range a.retries {
			_ = a.ask("/bg/retry/" + number)
		}
	}()
	mode := os.Getenv("MODE")
	switch mode {
	case "pool":
		for range 16 {
			go a.serveJobs()
		}
	case "growing":
		a.free.Store(16)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/stream/own", stream)
	mux.HandleFunc("/poll/own", func(http.ResponseWriter, *http.Request) { time.Sleep(300 * time.Millisecond) })
	mux.HandleFunc("/ready/own", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/work/", a.worker(mode))
	die(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}

func die(err error) {
	fmt.Fprintln(os.Stderr, "goapp:", err)
	os.Exit(1)
}

func (a *app) ask(path string) error {
	resp, err := a.client.Get(a.backend + path)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (a *app) every(path string, pause time.Duration) {
	for range time.Tick(pause) {
		_ = a.ask(path)
	}
}

// aside starts what a request leaves behind.
func (a *app) aside(number string) {
	a.once.Do(func() { go a.every("/bg/flush/"+number, 4*time.Millisecond) })
	turn := a.turns.Add(1)
	if turn%10 == 0 {
		a.retries <- number
	}
	if turn%25 == 0 {
		time.AfterFunc(3*time.Millisecond, func() { _ = a.ask("/bg/refresh/" + number) })
	}
	if turn%7 == 0 {
		go func() { // an audit: nobody waits for it
			time.Sleep(time.Duration(turn%5) * time.Millisecond)
			_ = a.ask("/bg/audit/" + number)
		}()
	}
}

func (a *app) worker(mode string) http.Handler {
	if mode == "proxy" {
		u, err := url.Parse(a.backend)
		if err != nil {
			die(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(u)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			number := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			a.aside(number)
			r.URL.Path = "/dep/" + number
			proxy.ServeHTTP(w, r)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		a.aside(number)
		if err := a.work(mode, "/dep/"+number); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, "ok") // or the client has left
	})
}

func (a *app) work(mode, path string) error {
	switch mode {
	case "pool", "growing":
		j := job{path, make(chan error, 1)}
		a.jobs <- j
		if a.free.Add(-1) >= 0 {
			go a.serveJobs()
		}
		return <-j.done
	case "errgroup":
		g, _ := errgroup.WithContext(context.Background())
		for range 3 {
			g.Go(func() error { return a.ask(path) })
		}
		return g.Wait()
	case "fanout": // what is asked first may bring the goroutine to another P
		if err := a.ask(path); err != nil {
			return err
		}
		answers := make(chan error, 2)
		for range 2 {
			go func() { answers <- a.ask(path) }()
		}
		return errors.Join(<-answers, <-answers)
	case "singleflight":
		return (<-a.flights.DoChan(path, func() (any, error) { return nil, a.ask(path) })).Err
	}
	return a.ask(path)
}

func (a *app) serveJobs() {
	for j := range a.jobs {
		j.done <- a.ask(j.path)
	}
}

func stream(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(w, "data: tick\n\n") // the context tells
		_ = http.NewResponseController(w).Flush()
	}
}
