package roomtest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// Ask gets so many pages, so many at a time: url with the numbers from 1 behind it. Each
// must be answered with 200.
func Ask(t *testing.T, times, parallel int, url string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	pages := make(chan string, times)
	for i := range times {
		pages <- fmt.Sprintf("%s%d", url, i+1)
	}
	close(pages)
	var work sync.WaitGroup
	for range parallel {
		work.Go(func() {
			for page := range pages {
				if err := get(client, page); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
}

func get(client *http.Client, page string) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close() // Its status is all.
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", page, response.Status)
	}
	return nil
}

// WatchOpen watches a client whose connections were there before: it says "connected" and
// waits for a line, then asks, and ends. It gets the line when all of await have returned.
func WatchOpen(t *testing.T, protocol probe.Protocol, cmd *exec.Cmd, await ...func(*Seen)) *Seen {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said := bufio.NewScanner(out); !said.Scan() || said.Text() != "connected" {
		t.Fatalf("it says %q", said.Text())
	}
	s := Watch(t, protocol)
	s.Target(t, cmd)
	for _, ready := range await {
		ready(s)
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return s
}
