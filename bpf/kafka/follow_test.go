package kafka

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odi-dev/odi/bpf/probe"
)

// script makes events as the kernel does, of one connection, and keeps what comes of them.
type script struct {
	probe.Follower
	kind  probe.Kind
	now   time.Time
	lost  map[string]int
	spans []string
}

func newScript(kind probe.Kind) *script {
	s := &script{kind: kind, now: time.Unix(1000, 0), lost: map[string]int{}}
	s.Follower = Follow(func(_ uint32, reason string) { s.lost[reason]++ })
	return s
}

// say is what a span says, with its attributes in their order.
func say(span *probe.Span) string {
	text := span.Name
	for _, a := range span.Attributes {
		switch a.Key {
		case "messaging.system", "messaging.operation.name", "messaging.operation.type", "network.peer.address", "network.peer.port", "server.address", "server.port", "messaging.destination.name":
		case "messaging.destination.partition.id":
			text += " p" + a.Text
		case "messaging.batch.message_count":
			text += fmt.Sprint(" n", a.Number)
		case "messaging.kafka.offset":
			text += fmt.Sprint(" @", a.Number)
		default:
			text += " " + a.Text
		}
	}
	return text
}

func (s *script) handle(x *probe.Exchange) {
	var span probe.Span
	Decode(x, &span)
	s.spans = append(s.spans, say(&span))
}

// event sends one; the clock goes on by a millisecond.
func (s *script) event(kind uint8, size int, head []byte, fault probe.ErrorKind) {
	raw := binary.NativeEndian.AppendUint64(nil, 77)
	raw = binary.NativeEndian.AppendUint32(raw, uint32(size))
	raw = append(append(raw, kind, 0, 0, 0), head...)
	s.now = s.now.Add(time.Millisecond)
	s.Take(&probe.Exchange{Kind: s.kind, PID: 7, Start: s.now, End: s.now, Error: fault, RequestHead: raw, SpanID: [8]byte{1}, TraceID: [16]byte{2}}, s.handle)
}

// request is its bytes without the size, as a real client makes them.
func request(req kmsg.Request, correlation int32) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("app")).AppendRequest(nil, req, correlation)[4:]
}

// answer is its bytes without the size.
func answerTo(req kmsg.Request, resp kmsg.Response, correlation int32) []byte {
	resp.SetVersion(req.GetVersion())
	b := binary.BigEndian.AppendUint32(nil, uint32(correlation))
	if resp.IsFlexible() {
		b = append(b, 0)
	}
	return resp.AppendTo(b)
}

func (s *script) asks(req kmsg.Request, correlation int32) {
	b := request(req, correlation)
	kept := 512
	if req.Key() > keyFetch {
		kept = 10
	}
	s.event(tellAsked, len(b), b[:min(len(b), kept)], 0)
}

func (s *script) gets(req kmsg.Request, resp kmsg.Response, correlation int32) {
	b := answerTo(req, resp, correlation)
	s.event(tellAnswered, len(b), b[:min(len(b), 1024)], 0)
}

// batch is one of so many records from an offset on, with some bytes in place of them.
func batch(offset int64, records, bytes int) []byte {
	b := make([]byte, batchHead+bytes)
	binary.BigEndian.PutUint64(b, uint64(offset))
	binary.BigEndian.PutUint32(b[batchLengthAt:], uint32(len(b)-12))
	b[batchMagicAt] = 2
	binary.BigEndian.PutUint32(b[batchCountAt:], uint32(records))
	copy(b[batchHead:], "secret")
	return b
}

var someID = topicID{1, 2, 3, 15: 9}

func produce(version int16, records ...[]byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, -1, 30_000
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.TopicID = "orders", someID
	for i, b := range records {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = int32(i+3), b
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	return req
}

func produceAnswer(codes ...int16) *kmsg.ProduceResponse {
	resp := kmsg.NewPtrProduceResponse()
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic, topic.TopicID = "orders", someID
	for i, code := range codes {
		p := kmsg.NewProduceResponseTopicPartition()
		p.Partition, p.ErrorCode, p.BaseOffset = int32(i+3), code, 1234
		if code != 0 {
			p.ErrorMessage = kmsg.StringPtr("secret")
		}
		topic.Partitions = append(topic.Partitions, p)
	}
	resp.Topics = append(resp.Topics, topic)
	return resp
}

func fetch(version int16) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = version, 500, 1, 50<<20
	return req
}

// fetchAnswer is one of the topic orders, with the records of its partitions from 3 on.
func fetchAnswer(records ...[]byte) *kmsg.FetchResponse {
	resp := kmsg.NewPtrFetchResponse()
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.TopicID = "orders", someID
	for i, b := range records {
		p := kmsg.NewFetchResponseTopicPartition()
		p.Partition, p.RecordBatches = int32(i+3), b
		topic.Partitions = append(topic.Partitions, p)
	}
	resp.Topics = append(resp.Topics, topic)
	return resp
}

// names answers with the name of the topic.
func names(s *script) {
	req, resp := kmsg.NewPtrMetadataRequest(), kmsg.NewPtrMetadataResponse()
	req.Version = 12
	for i := range int32(3) {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port, b.Rack = i, "broker.example", 9092, kmsg.StringPtr("a")
		resp.Brokers = append(resp.Brokers, b)
	}
	for i, name := range []string{"others", "orders"} {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.TopicID = kmsg.StringPtr(name), someID
		topic.TopicID[0] += byte(1 - i)
		for n := range int32(20) {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Replicas, p.ISR = n, []int32{0, 1, 2}, []int32{0, 1}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	s.asks(req, 900)
	b := answerTo(req, resp, 900)
	s.event(tellPart, len(b), b[:1024], 0)
	s.event(tellAnswered, len(b), b[1024:], 0)
}

// TestAllVersions: of each version that brokers take, as a real client writes it, the topic,
// the partition, the number of records and the errors are read.
func TestAllVersions(t *testing.T) {
	for version := int16(3); version <= produceLast; version++ {
		t.Run(fmt.Sprint("produce ", version), func(t *testing.T) {
			s := newScript(probe.Client)
			names(s)
			s.asks(produce(version, batch(0, 7, 900)), 1)
			s.asks(produce(version, batch(0, 1, 9)), 2)
			s.asks(produce(version, batch(0, 1, 9), batch(0, 1, 9)), 3)
			s.gets(produce(version), produceAnswer(0), 1)
			s.gets(produce(version), produceAnswer(0), 2)
			s.gets(produce(version), produceAnswer(0, 6), 3)
			want := []string{"send orders p3 n7 app", "send orders p3 n1 @1234 app", "send orders app NOT_LEADER_OR_FOLLOWER"}
			if diff := cmp.Diff(want, s.spans); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
	for version := int16(4); version <= fetchLast; version++ {
		t.Run(fmt.Sprint("fetch ", version), func(t *testing.T) {
			s := newScript(probe.Client)
			names(s)
			refused := fetchAnswer(nil)
			refused.Topics[0].Partitions[0].ErrorCode = 29
			for i, resp := range []*kmsg.FetchResponse{
				fetchAnswer(batch(40, 1, 9)), fetchAnswer(nil, batch(40, 5, 900_000)), fetchAnswer(batch(4, 5, 9), nil, batch(7, 1, 9)), fetchAnswer(nil, nil), {}, refused,
				fetchAnswer(batch(40, 5, 900_000), nil), fetchAnswer(append(batch(4, 1, 9), batch(5, 1, 9)...)),
			} {
				s.asks(fetch(version), int32(i))
				s.gets(fetch(version), resp, int32(i))
			}
			want := []string{
				"poll orders p3 n1 @40 app", "poll orders p4 n5 app", "poll orders n6 app", "poll app TOPIC_AUTHORIZATION_FAILED",
				"poll orders app", "poll orders p3 app",
			}
			if diff := cmp.Diff(want, s.spans); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
			if s.lost[noMessages] != 3 || len(s.lost) != 1 {
				t.Errorf("losses: %v, want 2 that brought nothing, and what asked for names", s.lost)
			}
		})
	}
}

// TestConversations: answers find their requests, whatever else happens on a connection.
func TestConversations(t *testing.T) {
	one := batch(0, 1, 9)
	silent := produce(9, one)
	silent.Acks = 0
	others := kmsg.NewPtrHeartbeatRequest()
	many := fetchAnswer(make([][]byte, 60)...)
	for name, tc := range map[string]struct {
		play func(s *script)
		want []string
		lost map[string]int
	}{
		"no answer is wanted": {func(s *script) { s.asks(silent, 1) }, []string{"send orders p3 n1 app"}, map[string]int{}},
		"the answer was read first": {func(s *script) {
			s.gets(produce(9), produceAnswer(0), 1)
			s.asks(produce(9, one), 1)
		}, []string{"send orders p3 n1 @1234 app"}, map[string]int{}},
		"an answer that nobody waits for": {func(s *script) {
			s.gets(produce(9), produceAnswer(0), 5)
			s.asks(produce(9, one), 6)
			s.gets(produce(9), produceAnswer(0), 6)
		}, []string{"send orders p3 n1 @1234 app"}, map[string]int{}},
		"an answer is missing": {func(s *script) {
			s.asks(produce(9, one), 1)
			s.asks(others, 2)
			s.asks(produce(9, one), 3)
			s.gets(produce(9), produceAnswer(0), 3)
		}, []string{"send orders p3 n1 @1234 app"}, map[string]int{ringFull: 1, noMessages: 1}},
		"the connection ends": {func(s *script) {
			s.asks(produce(9, one), 1)
			s.asks(fetch(12), 2)
			s.event(tellClosed, 0, nil, probe.ErrorClosed)
		}, []string{"send orders p3 n1 app connection_closed"}, map[string]int{noMessages: 1}},
		"the connection is reset": {func(s *script) {
			s.asks(fetch(12), 2)
			s.event(tellClosed, 0, nil, probe.ErrorReset)
		}, []string{"poll app connection_reset"}, map[string]int{}},
		"nobody can follow it": {func(s *script) {
			s.asks(produce(9, one), 1)
			s.asks(others, 2)
			s.event(tellStrayed, 0, nil, 0)
		}, nil, map[string]int{unparsable: 1, noMessages: 1}},
		"a version of which nothing is known": {func(s *script) {
			s.asks(produce(9, one), 1)
			b := request(produce(9, one), 2)
			b[3] = 40
			s.event(tellAsked, len(b), b, 0)
			s.gets(produce(9), produceAnswer(0), 1)
			s.gets(produce(9), produceAnswer(0), 2)
		}, []string{"send orders p3 n1 @1234 app", "send app"}, map[string]int{}},
		"an id whose name nobody has said": {func(s *script) {
			s.asks(produce(13, one), 1)
			s.gets(produce(13), produceAnswer(0), 1)
		}, []string{"send " + someID.String() + " p3 n1 @1234 app"}, map[string]int{}},
		"more partitions than are kept, none of which has anything": {func(s *script) {
			s.asks(fetch(12), 1)
			s.now = s.now.Add(500 * time.Millisecond)
			s.gets(fetch(12), many, 1)
		}, nil, map[string]int{noMessages: 1}},
		"more partitions than are kept, one of which has something": {func(s *script) {
			s.asks(fetch(12), 1)
			s.gets(fetch(12), many, 1)
		}, []string{"poll app"}, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(probe.Client)
			tc.play(s)
			if diff := cmp.Diff(tc.want, s.spans); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.lost, s.lost); diff != "" {
				t.Errorf("losses (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBooksAreBounded: what is kept does not grow with what is never answered.
func TestBooksAreBounded(t *testing.T) {
	s := newScript(probe.Client)
	for i := range int32(2 * ofConnMax) {
		s.asks(produce(9, batch(0, 1, 9)), i)
		s.gets(produce(9), produceAnswer(0), -i-2)
	}
	f := s.Follower.(*follower)
	if c := f.conns[77]; len(c.waits) != ofConnMax || len(c.early) != earlyMax || s.lost[pipelined] != ofConnMax {
		t.Errorf("%d requests wait, %d answers came early; losses %v", len(c.waits), len(c.early), s.lost)
	}
	for id := range uint64(2 * connsMax) {
		f.of(id)
	}
	if len(f.conns) != connsMax || f.recent.Len() != connsMax || s.lost[pipelined] != 2*ofConnMax {
		t.Errorf("%d connections; losses %v", len(f.conns), s.lost)
	}
	asked := request(produce(9, batch(0, 1, 9)), 1)
	for id := range uint64(connsMax) {
		for i := range int32(20) {
			f.asks(&note{conn: id, head: asked}, &probe.Exchange{PID: uint32(i)}, s.handle)
		}
		f.keep(f.of(id), make([]byte, partsMax))
	}
	if f.waiting > waitsMax || f.waiting < waitsMax/2 || f.kept != keptMax {
		t.Errorf("%d requests wait in all, and %d bytes of answers are kept", f.waiting, f.kept)
	}
	for id := range uint64(connsMax) {
		if c := f.conns[id]; c != nil {
			f.forget(c)
		}
	}
	if f.waiting != 0 || f.kept != 0 || len(f.conns) != 0 {
		t.Errorf("of no connection %d requests wait, and %d bytes are kept", f.waiting, f.kept)
	}
	for i := range uint64(2 * namesMax) {
		id := topicID{}
		binary.NativeEndian.PutUint64(id[:], i)
		f.learn(id, "x")
	}
	if len(f.names) != namesMax {
		t.Errorf("%d names", len(f.names))
	}
}

func FuzzTake(f *testing.F) {
	for _, version := range []int16{3, 9, 13} {
		f.Add(request(produce(version, batch(0, 3, 40)), 1), answerTo(produce(version), produceAnswer(0, 3), 1), int16(0))
	}
	for _, version := range []int16{4, 11, 12, 16} {
		f.Add(request(fetch(version), 1), answerTo(fetch(version), fetchAnswer(batch(0, 3, 40), nil), 1), int16(0))
	}
	meta := kmsg.NewPtrMetadataRequest()
	meta.Version = 12
	f.Add(request(meta, 1), answerTo(meta, kmsg.NewPtrMetadataResponse(), 1), int16(100))
	f.Fuzz(func(t *testing.T, asked, answered []byte, cut int16) {
		s := newScript(probe.Client)
		s.event(tellAsked, len(asked), asked, 0)
		at := min(max(0, int(cut)), len(answered))
		if at > 0 {
			s.event(tellPart, len(answered), answered[:at], 0)
		}
		s.event(tellAnswered, len(answered), answered[at:], 0)
		s.event(tellClosed, 0, nil, probe.ErrorReset)
		if len(s.spans) > 1 {
			t.Errorf("one request is %q", s.spans)
		}
		for _, span := range s.spans {
			if span == "" || len(span) > 3*textMax {
				t.Errorf("a span is %q", span)
			}
		}
	})
}
