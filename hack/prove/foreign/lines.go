package foreign

import (
	"fmt"
	"strings"

	"github.com/odi-dev/odi/bpf/redis"
)

func ok(text string) func(Dice) []byte { return func(Dice) []byte { return []byte(text) } }

func from(f func(d Dice) string) func(Dice) []byte {
	return func(d Dice) []byte { return []byte(f(d)) }
}

// lineProtocols consist of lines, most of which begin with a word in capitals.
var lineProtocols = []Protocol{
	oneWay("word and text", from(func(d Dice) string {
		return pick(d, "EVENT", "DATA", "SET", "GET", "POST", "PUT", "LOG", "HEAD", "A", "X-Y") + " " + d.text(d.length(5000)) + pick(d, "\n", "\r\n", "\n\n", "\r\n\r\n")
	})),
	oneWay("event and JSON", from(func(d Dice) string {
		return fmt.Sprintf("EVENT {\"id\":%d,\"text\":%q}\n\n", d.Int(), d.text(300+d.length(60_000)))
	})),
	oneWay("JSON lines", from(func(d Dice) string {
		return fmt.Sprintf("{\"method\":%q,\"path\":\"/%s\",\"proto\":\"HTTP/1.1\",\"text\":%q}\n", pick(d, "GET", "POST"), d.word(), d.text(d.length(3000)))
	})),
	greeted("NATS", "INFO {\"server_id\":\"N\",\"connect_urls\":[\""+strings.Repeat("10.0.0.1:4222\",\"", 60)+"10.0.0.2:4222\"]} \r\nPING\r\n", from(func(d Dice) string {
		p := d.text(d.length(20_000))
		return pick(d, "PING\r\n", "SUB events.* 1\r\n", fmt.Sprintf("PUB %s.%s %d\r\n%s\r\n", d.word(), d.word(), len(p), p), "CONNECT {\"verbose\":false,\"name\":\""+strings.Repeat("n", d.length(2000))+"\"}\r\n")
	}), from(func(d Dice) string {
		p := d.text(d.length(20_000))
		return pick(d, "PONG\r\n", "+OK\r\n", fmt.Sprintf("MSG %s 1 %d\r\n%s\r\n", d.word(), len(p), p))
	})),
	exchanged("STOMP", from(func(d Dice) string {
		return fmt.Sprintf("%s\ndestination:/queue/%s\nx:%s\n\n%s\x00\n", pick(d, "SEND", "CONNECT", "SUBSCRIBE", "ACK"), d.word(), strings.Repeat("h", d.length(2000)), d.text(d.length(3000)))
	}), from(func(d Dice) string { return "MESSAGE\nsubscription:0\n\n" + d.text(d.length(3000)) + "\x00\n" })),
	greeted("SMTP", "220 mx.example ESMTP\r\n", from(func(d Dice) string {
		return pick(d, "EHLO client.example\r\n", "MAIL FROM:<"+d.word()+"@example.org>\r\n", "RCPT TO:<a@b.c>\r\n", "DATA\r\n", "AUTH PLAIN "+strings.Repeat("QUJD", d.length(600))+"\r\n",
			"Subject: "+d.text(d.length(2000))+"\r\n\r\n"+d.text(d.length(9000))+"\r\n.\r\n")
	}), ok("250 2.0.0 Ok\r\n")),
	greeted("IMAP", "* OK IMAP4rev1 ready\r\n", from(func(d Dice) string {
		return fmt.Sprintf("A%03d %s %s\r\n", d.IntN(1000), pick(d, "LOGIN", "SELECT", "FETCH 1:* (FLAGS)", "SEARCH", "APPEND"), d.text(d.length(2000)))
	}), ok("* 1 FETCH (FLAGS (\\Seen))\r\nA001 OK done\r\n")),
	greeted("POP3", "+OK ready\r\n", from(func(d Dice) string {
		return pick(d, "USER "+d.word(), "PASS "+d.word(), "STAT", "RETR 1", "TOP 1 10", "DELE 2") + "\r\n"
	}), from(func(d Dice) string { return "+OK\r\n" + d.text(d.length(9000)) + "\r\n.\r\n" })),
	greeted("FTP", "220 ready\r\n", from(func(d Dice) string {
		return pick(d, "USER anonymous", "PASS x@y", "TYPE I", "RETR "+d.word(), "STOR "+strings.Repeat("dir/", d.length(400)), "OPTS UTF8 ON", "PASV") + "\r\n"
	}), ok("227 Entering Passive Mode (127,0,0,1,1,2)\r\n")),
	oneWay("syslog RFC 5424", from(func(d Dice) string {
		m := fmt.Sprintf("<%d>1 2026-11-26T00:00:00Z host app %d ID47 [x@1 a=\"%s\"] %s", d.IntN(192), d.IntN(9999), d.word(), d.text(d.length(4000)))
		return pick(d, m+"\n", fmt.Sprintf("%d %s", len(m), m))
	})),
	oneWay("syslog RFC 3164", from(func(d Dice) string {
		return fmt.Sprintf("<34>Oct 11 22:14:15 mymachine su: %s \"GET /%s HTTP/1.1\" 200\n", d.text(d.length(1500)), d.word())
	})),
	oneWay("graphite", from(func(d Dice) string {
		return fmt.Sprintf("%s.%s.GET %d 1764115200\n", strings.ToUpper(d.word()), d.word(), d.IntN(1000))
	})),
	oneWay("statsd", from(func(d Dice) string {
		return fmt.Sprintf("%s.requests:%d|c|#route:/%s,proto:HTTP/1.1,x:y\n", d.word(), d.IntN(100), d.word())
	})),
	exchanged("memcached", from(func(d Dice) string {
		p := d.text(d.length(6000))
		return pick(d, "get "+d.word()+"\r\n", fmt.Sprintf("set %s 0 0 %d\r\n%s\r\n", d.word(), len(p), p), "stats\r\n", "GETS "+d.word()+"\r\n")
	}), from(func(d Dice) string { return pick(d, "STORED\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n", "END\r\n") })),
	seen(redis.Protocol.Code, exchanged("RESP", from(func(d Dice) string {
		p := d.text(d.length(3000))
		return pick(d, fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", len(p), p), "PING\r\n", "GET "+d.word()+"\r\n", "SET k "+d.text(d.length(900))+"\r\n")
	}), from(func(d Dice) string { return pick(d, "+OK\r\n", "$1\r\nv\r\n", "%1\r\n+a\r\n:1\r\n", "-ERR no\r\n") }))),
	greeted("IRC", ":irc.example NOTICE * :*** Looking up\r\n", from(func(d Dice) string {
		return pick(d, "NICK "+d.word(), "USER a 0 * :"+d.text(20), "PRIVMSG #"+d.word()+" :"+d.text(d.length(480)), "PING :x", "JOIN #"+d.word()) + "\r\n"
	}), ok(":irc.example 001 me :Welcome\r\n")),
	exchanged("ZooKeeper words", from(func(d Dice) string { return pick(d, "ruok", "stat", "mntr", "RUOK", "STAT ") }), ok("imok")),
	exchanged("Gopher and finger", from(func(d Dice) string {
		return pick(d, "/"+d.word()+"\r\n", "\r\n", "/W "+d.word()+"\r\n", d.word()+"\tquery\r\n")
	}),
		from(func(d Dice) string { return "i" + d.text(d.length(3000)) + "\tfake\t(NULL)\t0\r\n.\r\n" })),
	exchanged("HL7", from(func(d Dice) string {
		return "\x0bMSH|^~\\&|A|B|C|D|202611260000||ADT^A01|1|P|2.5\rPID|1||" + d.text(d.length(3000)) + "\r\x1c\r"
	}), ok("\x0bMSH|^~\\&|C|D|A|B|1||ACK|1|P|2.5\rMSA|AA|1\r\x1c\r")),
	exchanged("FIX", from(func(d Dice) string {
		return "8=FIX.4.4\x019=100\x0135=D\x0149=A\x0156=B\x0158=" + d.text(d.length(900)) + "\x0110=000\x01"
	}), ok("8=FIX.4.4\x019=5\x0135=0\x0110=000\x01")),
	greeted("SSH", "SSH-2.0-OpenSSH_9.2\r\n", func(d Dice) []byte {
		if d.IntN(8) == 0 {
			return []byte("SSH-2.0-" + d.word() + "\r\n")
		}
		b := d.bytes(d.length(4000))
		return join(be32(len(b)), b)
	}, func(d Dice) []byte { return d.bytes(1 + d.length(2000)) }),
}
