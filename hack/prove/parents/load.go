package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// answer is the backend: quick for the work of an application's own, slower for
// requests, and a stream where a proxy asks for one.
func answer(w http.ResponseWriter, r *http.Request) {
	h := fnv.New32()
	_, _ = h.Write([]byte(r.URL.Path)) // never fails
	switch {
	case strings.HasPrefix(r.URL.Path, "/stream/"):
		for r.Context().Err() == nil {
			time.Sleep(50 * time.Millisecond)
			_, _ = io.WriteString(w, "data: tick\n\n") // the context tells
			_ = http.NewResponseController(w).Flush()
		}
	case strings.HasPrefix(r.URL.Path, "/poll/"):
		time.Sleep(300 * time.Millisecond)
	case !strings.HasPrefix(r.URL.Path, "/bg/"):
		time.Sleep(time.Duration(h.Sum32()%4000) * time.Microsecond)
	}
	_, _ = io.WriteString(w, "ok")
}

// load asks for /work/0 and on, as many at a time as the level says, while one stream is open and
// one client polls.
func load(ctx context.Context, base string, l level) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.clients + 2}}
	defer client.CloseIdleConnections()
	if err := waitReady(ctx, client, base); err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	var aside sync.WaitGroup
	aside.Go(func() { _ = get(background, client, base+"/stream/own") }) // it ends when we do
	aside.Go(func() {
		for background.Err() == nil {
			_ = get(background, client, base+"/poll/own")
		}
	})
	time.Sleep(200 * time.Millisecond)
	err := storm(ctx, client, base, l)
	time.Sleep(300 * time.Millisecond) // work of its own goes on without any request
	stop()
	aside.Wait()
	time.Sleep(300 * time.Millisecond)
	return err
}

func storm(ctx context.Context, client *http.Client, base string, l level) error {
	next := make(chan int)
	g, ctx := errgroup.WithContext(ctx)
	for range l.clients {
		g.Go(func() error {
			for i := range next {
				if err := get(ctx, client, fmt.Sprintf("%s/work/%d", base, i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(next)
		for i := range l.requests {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

func waitReady(ctx context.Context, client *http.Client, base string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := get(ctx, client, base+"/ready/own")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the application: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking %s: %s", url, resp.Status)
	}
	return nil
}
