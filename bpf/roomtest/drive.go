package roomtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"sync"
	"syscall"
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

// Start starts a program, which ends with the test at the latest. What it complains of is shown, if nobody else wants it.
func Start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // the test may have done so
	})
}

// longest is a line of a program that says of each of some thousand requests what became of it.
const longest = 4 << 20

// Talk is Start for a program that is told lines and says some.
func Talk(t *testing.T, cmd *exec.Cmd) (in io.WriteCloser, said *bufio.Scanner) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	Start(t, cmd)
	said = bufio.NewScanner(out)
	said.Buffer(nil, longest)
	return in, said
}

// Folder makes one for a server that runs under an account of its own, below a path that is short enough for sockets.
func Folder(t *testing.T, account string) string {
	t.Helper()
	owner, err := user.Lookup(account)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "odi-"+account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
	return dir
}

// WatchOpen watches a client whose connections were there before: it says "connected" and
// waits for a line, then asks, and ends. It gets the line when all of await have returned.
func WatchOpen(t *testing.T, protocol probe.Protocol, cmd *exec.Cmd, await ...func(*Seen)) *Seen {
	t.Helper()
	in, said := Talk(t, cmd)
	if !said.Scan() || said.Text() != "connected" {
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
