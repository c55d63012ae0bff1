package main

import (
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
	"google.golang.org/grpc"
)

// job is what a goroutine does for a request other than the one that started it.
type job struct {
	path string
	done chan struct{}
}

// pooling is a server of HTTP/2 that asks one of HTTP/1. What it asks for /slow/N it asks by the handler itself, after 30 ms;
// for any other path by a goroutine that the handler starts. That of /stays/N goes on for good, and asks for each /job/N.
func pooling(kind, addr, next string) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	get := func(path string) {
		if resp, err := client.Get("http://" + next + "/200" + path + "/0"); err == nil {
			_ = resp.Body.Close() // Its status is all.
		}
	}
	jobs, none := make(chan job), make(chan job)
	close(none)
	start := func(path string, jobs <-chan job) <-chan struct{} {
		asked := make(chan struct{})
		go func() {
			get(path)
			close(asked)
			for j := range jobs {
				get(j.path)
				close(j.done)
			}
		}()
		return asked
	}
	serve := func(path string) {
		switch strings.Split(path, "/")[1] {
		case "slow":
			time.Sleep(30 * time.Millisecond)
			get(path)
		case "stays":
			<-start(path, jobs)
		case "job":
			j := job{path, make(chan struct{})}
			jobs <- j
			<-j.done
		default:
			<-start(path, none)
			time.Sleep(time.Millisecond) // it has ended
		}
	}
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { serve(r.URL.Path) })
	switch kind {
	case "http2-pooling":
		return (&http.Server{Addr: addr, Protocols: plain(), Handler: handler}).ListenAndServe()
	case "x-pooling":
		return http.ListenAndServe(addr, h2c.NewHandler(handler, &http2.Server{}))
	case "grpc-workers-pooling":
		return serveCalls(addr, serve, grpc.NumStreamWorkers(1))
	}
	return serveCalls(addr, serve)
}
