// Command hop serves HTTP and asks the next hop for the same path. It answers
// with what the next hop said below its own line.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	addr, next, mode := os.Args[1], os.Args[2], os.Args[3]
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	if mode == "wrapped" {
		transport.DialContext = dialWrapped
	}
	client := &http.Client{Transport: transport}
	ask := func(path string) string {
		resp, err := client.Get(next + path)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	pool := workers{ask: ask, jobs: make(chan job, 64), free: 16}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := fmt.Sprintf("%s %s %s\n", os.Args[0], r.URL.Path, r.Header.Values("Traceparent"))
		if d, err := time.ParseDuration(r.URL.Query().Get("sleep")); err == nil {
			time.Sleep(d)
		}
		if size, err := strconv.Atoi(r.URL.Query().Get("size")); err == nil {
			out += strings.Repeat("x", size)
		}
		switch {
		case next == "-":
		case mode == "goroutine":
			ch := make(chan string)
			go func() { ch <- ask(r.URL.Path) }()
			out += <-ch
		case mode == "pool":
			out += pool.do(r.URL.Path)
		case mode == "late":
			go func() {
				time.Sleep(10 * time.Millisecond)
				ask(r.URL.Path)
			}()
		default:
			out += ask(r.URL.Path)
		}
		io.WriteString(w, out)
	})
	switch mode {
	case "proxy":
		u, _ := url.Parse(next)
		log.Fatal(http.Serve(l, httputil.NewSingleHostReverseProxy(u)))
	case "upgrade":
		log.Fatal(http.Serve(l, http.HandlerFunc(upgrade)))
	}
	log.Fatal(http.Serve(l, handler))
}

// wrapped is a connection as many programs make them, to count or to limit.
type wrapped struct {
	net.Conn
	written int
}

func (w *wrapped) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.written += n
	return n, err
}

func dialWrapped(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	return &wrapped{Conn: c}, err
}

// workers is a pool that grows inside requests: whoever finds no worker free
// starts one, which then takes any job.
type workers struct {
	ask  func(string) string
	jobs chan job
	mu   sync.Mutex
	free int // workers that may still be started
	idle int
}

type job struct {
	path string
	done chan string
}

func (w *workers) do(path string) string {
	j := job{path, make(chan string, 1)}
	w.jobs <- j
	w.mu.Lock()
	if w.free > 0 && w.idle < len(w.jobs) {
		w.free--
		go w.work()
	}
	w.mu.Unlock()
	return <-j.done
}

func (w *workers) work() {
	for {
		w.count(1)
		j := <-w.jobs
		w.count(-1)
		j.done <- w.ask(j.path)
	}
}

func (w *workers) count(n int) {
	w.mu.Lock()
	w.idle += n
	w.mu.Unlock()
}

// upgrade counts aloud until the client has gone.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: counting\r\n\r\n")
	for i := 0; rw.Flush() == nil; i++ {
		fmt.Fprintf(rw, "%08d\n", i)
		if i%16 == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
}
