package kafka_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/kafka"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// peer is this binary as a broker or a client.
func peer(t *testing.T, args ...any) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: self, Args: []string{self}, Env: append(os.Environ(), asPeer+"="+strings.TrimSpace(fmt.Sprintln(args...)))}
}

// started starts a server that ends with the test.
func started(t *testing.T, port string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			return cmd
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not listen")
		}
	}
}

// done is what clients say that they did.
type done struct {
	Did   map[string]int
	Asked map[int]int
}

// trades has clients that are watched send and read records. open: their connections were
// there before. They begin when all of await have returned.
func trades(t *testing.T, s *roomtest.Seen, cmd *exec.Cmd, open bool, await ...func()) (did done) {
	t.Helper()
	var failed strings.Builder
	cmd.Stderr = &failed
	begin, said := roomtest.Talk(t, cmd)
	defer time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }).Stop() // clients try for ever
	if open && (!said.Scan() || said.Text() != "connected") {
		t.Fatalf("it says %q: %s", said.Text(), failed.String())
	}
	s.Target(t, cmd)
	for _, ready := range await {
		ready()
	}
	if _, err := io.WriteString(begin, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(last(said), &did); err != nil {
		t.Errorf("it does not say what it did: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, failed.String())
	}
	return did
}

// last is the last line that is said.
func last(said *bufio.Scanner) (line []byte) {
	for said.Scan() {
		line = bytes.Clone(said.Bytes())
	}
	return line
}

// says is what a span of one record is about.
func says(span *probe.Span) string {
	what := fmt.Sprintf("%s partition %s offset %d by %s", span.Name, roomtest.Text(span, "messaging.destination.partition.id"),
		roomtest.Number(span, "messaging.kafka.offset"), roomtest.Text(span, "messaging.client.id"))
	if count := roomtest.Number(span, "messaging.batch.message_count"); count != 1 {
		what += fmt.Sprintf(" with %d records", count)
	}
	if failed := roomtest.Text(span, "error.type"); failed != "" {
		what += " " + failed
	}
	return what
}

// seen counts what spans say.
func seen(s *roomtest.Seen, kind probe.Kind) map[string]int {
	all := map[string]int{}
	for _, span := range s.Spans(kind) {
		all[says(&span)]++
	}
	return all
}

// TestRealClients: each record that real clients send to a real broker, and read there, is
// one span with its topic, its partition, its offset and its client, in all versions of the
// protocol, with 1, 10 and 100 clients; whatever else they ask for is counted.
func TestRealClients(t *testing.T) {
	s := roomtest.Watch(t, kafka.Protocol)
	for _, tc := range []struct {
		version        string
		clients, times int
	}{{"latest", 1, 200}, {"latest", 10, 50}, {"latest", 100, 10}, {"v3.0", 10, 20}, {"v2.1", 10, 20}, {"v1.0", 10, 20}} {
		t.Run(fmt.Sprint(tc.version, " ", tc.clients), func(t *testing.T) {
			port := loopback.Port(t)
			started(t, port, peer(t, "broker", port, 101))
			s.Reset()
			before := s.Engine.Drops()
			did := trades(t, s, peer(t, "clients", "127.0.0.1:"+port, tc.version, tc.clients, tc.times), false)
			got, after := seen(s, probe.Client), s.Engine.Drops()
			if diff := cmp.Diff(did.Did, got); diff != "" {
				t.Errorf("seen at the clients (-want +got):\n%.3000s", diff)
			}
			all := 0
			for _, n := range did.Asked {
				all += n
			}
			spans := len(s.Spans(probe.Client))
			counted := int(after["no_messages"] - before["no_messages"])
			t.Logf("%d requests had an answer: %v; %d spans, %d counted", all, did.Asked, spans, counted)
			// Of each client a Fetch or two may wait when it closes.
			if n := spans + counted; n < all || n > all+3*tc.clients {
				t.Errorf("%d requests are in the books, want %d and what waited at the end", n, all)
			}
			for _, reason := range []string{"ring_full", "pipelined", "unparsable", "unreadable"} {
				if after[reason] != before[reason] {
					t.Errorf("losses: %v, before %v", after, before)
				}
			}
			if leaked := s.Leaked("secret"); len(leaked) > 0 {
				t.Errorf("records have left: %v", leaked)
			}
		})
	}
}

// TestOtherLibraries: so is what librdkafka sends and reads, which most languages use, and
// what kafka-python does. They speak versions of old.
func TestOtherLibraries(t *testing.T) {
	s := roomtest.Watch(t, kafka.Protocol)
	for _, library := range []string{"librdkafka", "kafka-python"} {
		t.Run(library, func(t *testing.T) {
			port := loopback.Port(t)
			started(t, port, peer(t, "broker", port, 2))
			s.Reset()
			did := trades(t, s, program.Command(t, "python3", "testdata/trade.py", library, "127.0.0.1:"+port, "200"), false)
			if diff := cmp.Diff(did.Did, seen(s, probe.Client)); diff != "" || len(did.Did) != 400 {
				t.Errorf("seen at the client (-want +got):\n%s; losses %v", diff, s.Engine.Drops())
			}
			if leaked := s.Leaked("secret"); len(leaked) > 0 {
				t.Errorf("records have left: %v", leaked)
			}
		})
	}
}

// TestConnectionsThatWereOpen: what clients send whose connections were there before is
// seen from the first record on, and each answer to what they ask for from then on; where
// topics have no names, their ids are said.
func TestConnectionsThatWereOpen(t *testing.T) {
	s := roomtest.Watch(t, kafka.Protocol)
	const clients, times = 10, 20
	for version, hasNames := range map[string]bool{"v1.0": true, "v2.1": true, "v3.0": true, "latest": false} {
		t.Run(version, func(t *testing.T) {
			port := loopback.Port(t)
			started(t, port, peer(t, "broker", port, 101))
			s.Reset()
			did := trades(t, s, peer(t, "clients", "127.0.0.1:"+port, version, clients, times, "open"), true).Did
			want := map[string]int{}
			for what, n := range did {
				if operation, rest, _ := strings.Cut(what, " "); !hasNames {
					what = operation + rest[strings.IndexByte(rest, ' '):]
				}
				want[what] += n
			}
			sent, read := 0, 0
			for what, n := range seen(s, probe.Client) {
				if n > want[what] {
					t.Errorf("%d are called %q, want %d", n, what, want[what])
				}
				if strings.HasPrefix(what, "send") {
					sent += n
				} else {
					read += n
				}
			}
			// Whoever waits for a record has asked for it before.
			if sent != clients*times || read < clients*(times-1) {
				t.Errorf("%d of %d sent, %d of %d read; losses %v", sent, clients*times, read, clients*times, s.Engine.Drops())
			}
			for _, span := range s.Spans(probe.Client) {
				if hasID := roomtest.Text(&span, "odi.kafka.topic.id") != ""; hasID == hasNames {
					t.Fatalf("of what has no name the id is said: %v", span.Attributes)
				}
			}
		})
	}
}
