package kafka_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odi-dev/odi/bpf/kafka"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// asks is a request to produce as a client writes it, changed by what comes behind.
func asks(version int16, client string, change func([]byte)) []byte {
	return asksIn(nil, version, client, change)
}

// asksIn is one in a transaction.
func asksIn(transaction *string, version int16, client string, change func([]byte)) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.TransactionID, req.Acks, req.TimeoutMillis = version, transaction, 1, 1000
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	topic.Partitions = append(topic.Partitions, kmsg.NewProduceRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	b := kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, req, 5)
	change(b)
	return b
}

// asksNames is a request for the names of topics, whose first bytes are those of
// PostgreSQL's first message.
func asksNames() []byte {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 1
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("app")).AppendRequest(nil, req, 5)
}

// answers is the answer to one.
func answers(correlation int32) []byte {
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = 7
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic = "orders"
	topic.Partitions = append(topic.Partitions, kmsg.NewProduceResponseTopicPartition())
	resp.Topics = append(resp.Topics, topic)
	b := resp.AppendTo(binary.BigEndian.AppendUint32(make([]byte, 4), uint32(correlation)))
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// speak opens a connection for each of what is given, now or late, which is behind their
// beginnings; it says on them what is separated by commas, and an answer to each.
const speak = `import socket, sys
l = socket.create_server(("127.0.0.1", 0))
def connected():
    c = socket.create_connection(l.getsockname())
    return c, l.accept()[0]
talks = [[bytes.fromhex(said) for said in talk.split(",")] for talk in sys.argv[2:]]
pairs = [connected() for talk in talks if sys.argv[1] == "late"]
for c, s in pairs:
    c.sendall(b"\1\2")
    s.recv(10)
    s.sendall(b"\1\2")
    c.recv(10)
print(flush=True)
sys.stdin.readline()
for i, talk in enumerate(talks):
    c, s = pairs[i] if pairs else connected()
    for said in talk:
        c.sendall(said)
        s.recv(1000)
        s.sendall(b"\0\0\0\x20" + said[8:12] + bytes(28))
        c.recv(1000)
`

// TestBeginnings: what only begins like a request is none, nor is an answer whose number
// looks like what is asked for, also where the beginning of a connection was not seen.
func TestBeginnings(t *testing.T) {
	s := roomtest.Watch(t, kafka.Protocol)
	long, same := "consumer-of-orders-and-of-much-more-in-eu-west-1", func([]byte) {}
	cases := map[string]struct {
		first     []byte
		now, late bool // it is one on a connection that is seen from its beginning, or not
	}{
		"a Produce":                        {asks(7, "app", same), true, true},
		"without fixed lengths":            {asks(9, "app", same), true, true},
		"a client with a long name":        {asks(7, long, func(b []byte) { b[11] = 200 }), true, true},
		"that has asked for little":        {asks(7, long, same), true, false},
		"behind what is PostgreSQL's, too": {asks(7, "app", same), true, true},
		"in a transaction":                 {asksIn(&long, 7, "app", same), true, false},
		"... without fixed lengths":        {asksIn(&long, 9, "app", same), true, false},
		"a client without a name":          {asks(7, "", same), false, false},
		"a name of zeros":                  {asks(7, "app", func(b []byte) { clear(b[14:17]) }), false, false},
		"no such version":                  {asks(7, "app", func(b []byte) { b[7] = 99 }), false, false},
		"a version of old":                 {asks(7, "app", func(b []byte) { b[7] = 2 }), false, false},
		"no such key":                      {asks(7, "app", func(b []byte) { b[4] = 1 }), false, false},
		"a number below zero":              {asks(7, "app", func(b []byte) { b[8] = 0xff }), false, false},
		"shorter than it says":             {asks(7, "app", func(b []byte) { b[3]-- }), false, false},
		"answers that nobody knows":        {asks(7, "app", func(b []byte) { b[20] = 9 }), false, false},
		"an answer":                        {answers(7), false, false},
		"an answer to a later one":         {answers(65536 + 7), false, false},
		"nothing":                          {make([]byte, 64), false, false},
		"a Produce that is not whole":      {asks(7, "app", same)[:40], false, false},
	}
	for _, when := range []string{"now", "late"} {
		t.Run(when, func(t *testing.T) {
			args := []string{"-c", speak, when}
			want := map[string]int{}
			for i, name := range slices.Sorted(maps.Keys(cases)) {
				tc := cases[name]
				topic := fmt.Sprintf("or%04d", i)
				said := hex.EncodeToString(bytes.ReplaceAll(tc.first, []byte("orders"), []byte(topic)))
				if strings.HasPrefix(name, "behind") {
					said = hex.EncodeToString(asksNames()) + "," + said
				}
				args = append(args, said)
				if is := map[string]bool{"now": tc.now, "late": tc.late}[when]; is {
					want["send "+topic]++
				}
			}
			cmd := program.Command(t, "python3", args...)
			begin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			ready, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var failed bytes.Buffer
			cmd.Stderr = &failed
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := ready.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			s.Reset()
			s.Target(t, cmd)
			if _, err := io.WriteString(begin, "\n"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s", err, failed.String())
			}
			for _, kind := range []probe.Kind{probe.Client, probe.Server} {
				got := map[string]int{}
				for _, span := range s.Spans(kind) {
					got[span.Name]++
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("seen at side %d (-want +got):\n%s; losses %v", kind, diff, s.Engine.Drops())
				}
			}
		})
	}
}
