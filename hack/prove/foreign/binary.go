package foreign

import (
	"encoding/binary"

	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/kafka"
	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/hack/prove/talk"
)

func noise(most int) func(Dice) []byte {
	return func(d Dice) []byte { return d.bytes(1 + d.length(most)) }
}

// binaryProtocols have lengths and codes; some begin with a capital letter.
var binaryProtocols = []Protocol{
	seen(postgres.Protocol.Code, exchanged("PostgreSQL", func(d Dice) []byte {
		if d.IntN(6) == 0 {
			return join(be32(20), be32(196608), []byte("user\x00odi\x00\x00\x00\x00"))
		}
		text := append([]byte("SELECT '"+d.text(d.length(3000))+"'"), 0)
		return join([]byte{pick(d, byte('Q'), byte('P'), byte('B'), byte('E'), byte('S'))}, be32(4+len(text)), text)
	}, func(d Dice) []byte {
		row := []byte(d.text(d.length(3000)))
		return join([]byte("D"), be32(6+len(row)), be16(1), row, []byte("Z"), be32(5), []byte("I"))
	})),
	seen(mysql.Protocol.Code, greeted("MySQL", "J\x00\x00\x00\n8.0.36\x00\x08\x00\x00\x00aaaaaaaa\x00", func(d Dice) []byte {
		text := "SELECT * FROM t WHERE a = '" + d.text(d.length(3000)) + "'"
		n := len(text) + 1
		return join([]byte{byte(n), byte(n >> 8), byte(n >> 16), 0, 3}, []byte(text))
	}, noise(3000))),
	exchanged("AMQP 0.9.1", func(d Dice) []byte {
		if d.IntN(6) == 0 {
			return []byte("AMQP\x00\x00\x09\x01")
		}
		b := d.bytes(d.length(4000))
		return join([]byte{byte(1 + d.IntN(3)), 0, 1}, be32(len(b)), b, []byte{0xce})
	}, noise(500)),
	exchanged("MQTT", func(d Dice) []byte {
		topic, payload := d.word(), d.bytes(d.IntN(100))
		return join([]byte{pick(d, byte(0x10), byte(0x30), byte(0x82)), byte(2 + len(topic) + len(payload))}, be16(len(topic)), []byte(topic), payload)
	}, ok("\x20\x02\x00\x00")),
	seen(kafka.Protocol.Code, exchanged("Kafka", func(d Dice) []byte {
		client, b := d.word(), d.bytes(d.length(20_000))
		return join(be32(len(b)+len(client)+10), be16(d.IntN(60)), be16(9), be32(d.IntN(1000)), be16(len(client)), []byte(client), b)
	}, noise(4000))),
	exchanged("lengths and numbers", func(d Dice) []byte {
		b := d.bytes(d.length(20_000))
		return join(be32(len(b)+8), be16(d.IntN(60)), be16(pick(d, 0, 1, 3, 9, 100)), be32(d.IntN(1000)), b)
	}, func(d Dice) []byte {
		b := d.bytes(d.length(4000))
		return join(be32(len(b)+4), be32(d.IntN(1000)), b)
	}),
	exchanged("ZooKeeper", func(d Dice) []byte {
		if d.IntN(6) == 0 {
			return join(be32(45), be32(0), be32(0), be32(0), be32(30_000), make([]byte, 8), be32(16), make([]byte, 17))
		}
		path := "/" + d.text(d.length(200))
		return join(be32(13+len(path)), be32(d.IntN(20)), be32(pick(d, 3, 4, 8, 12)), be32(len(path)), []byte(path), []byte{0})
	}, func(d Dice) []byte {
		b := d.bytes(d.length(2000))
		return join(be32(len(b)+16), be32(d.IntN(20)), be32(0), be32(d.IntN(1000)), be32(0), b)
	}),
	exchanged("RabbitMQ streams", func(d Dice) []byte {
		b := d.bytes(d.length(2000))
		return join(be32(len(b)+12), be16(1+d.IntN(30)), be16(1), be32(d.IntN(100)), be32(1), b)
	}, func(d Dice) []byte { return join(be32(10), be16(0x8000+d.IntN(30)), be16(1), be32(1), be16(1)) }),
	seen(handshake.Protocol.Code, exchanged("TLS", func(d Dice) []byte {
		b := d.bytes(d.length(16_000))
		return join([]byte{pick(d, byte(22), byte(23), byte(23)), 3, pick(d, byte(1), byte(3))}, be16(len(b)), b)
	}, func(d Dice) []byte {
		b := d.bytes(d.length(16_000))
		return join([]byte{23, 3, 3}, be16(len(b)), b)
	})),
	seen(http2.Protocol.Code, Protocol{Name: "HTTP/2 and gRPC", Speak: func(d Dice) []talk.Turn {
		turns := []talk.Turn{ask(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, 0, 0, 4, 0, 0, 0, 0, 0)), tell([]byte{0, 0, 0, 4, 1, 0, 0, 0, 0})}
		for range d.many() {
			turns = append(turns, ask(frame(d)), tell(frame(d)))
		}
		return turns
	}}),
	seen(http2.Protocol.Code, Protocol{Name: "HTTP/2 preface alone", Speak: func(d Dice) []talk.Turn {
		return []talk.Turn{asks("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), tells("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), ask(frame(d)), tell(frame(d))}
	}}),
	exchanged("WebSocket frames", func(d Dice) []byte {
		b := d.bytes(d.length(60_000))
		if len(b) < 126 {
			return join([]byte{0x81, 0x80 | byte(len(b))}, []byte("GET "), b)
		}
		return join([]byte{0x81, 0xfe}, be16(len(b)), []byte("POST"), b)
	}, noise(3000)),
	exchanged("LDAP", func(d Dice) []byte { return join([]byte{0x30, 0x84}, be32(50), d.bytes(50)) }, noise(300)),
	exchanged("DNS over TCP", func(d Dice) []byte {
		b := join(be16(d.IntN(65536)), []byte{1, 0, 0, 1, 0, 0, 0, 0, 0, 0, byte(3), 'G', 'E', 'T', 0, 0, 1, 0, 1})
		return join(be16(len(b)), b)
	}, noise(500)),
	exchanged("Thrift", func(d Dice) []byte {
		name := d.word()
		return join([]byte{0x80, 1, 0, 1}, be32(len(name)), []byte(name), be32(1), d.bytes(d.length(2000)))
	}, noise(2000)),
	exchanged("MongoDB", func(d Dice) []byte {
		b := d.bytes(d.length(8000))
		return join(le32(16+len(b)), le32(d.IntN(1000)), le32(0), le32(2013), b)
	}, noise(4000)),
	exchanged("memcached binary", func(d Dice) []byte {
		key := d.word()
		return join([]byte{0x80, 0}, be16(len(key)), []byte{0, 0, 0, 0}, be32(len(key)), make([]byte, 12), []byte(key))
	}, func(d Dice) []byte { return join([]byte{0x81, 0}, d.bytes(22)) }),
	exchanged("capitals, then noise", func(d Dice) []byte {
		return join([]byte(pick(d, "GET ", "POST ", "PUT /", "OPTIONS ", "HTTP/1.1 ", "DELETE /")), d.bytes(d.length(3000)))
	}, noise(300)),
	oneWay("noise", noise(50_000)),
	exchanged("words with lengths", func(d Dice) []byte {
		n := d.length(70_000)
		return join([]byte("PUT "), binary.AppendUvarint(nil, uint64(n)), d.bytes(n))
	}, ok("OK 0\r\n")),
}

// frame is one of HTTP/2.
func frame(d Dice) []byte {
	b := d.bytes(d.length(16_000))
	return join([]byte{byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b)), byte(d.IntN(10)), 4}, be32(d.IntN(100)), b)
}
