package foreign

import (
	"fmt"
	"strings"

	"github.com/odi-dev/odi/hack/prove/talk"
)

// versions look like those of HTTP/1 and are none.
var versions = []string{"HTTP/1.1x", "HTTP/1.12", "HTTP/1.2", "HTTP/1.", "HTTP/1", "HTTP/2", "HTTP/2.0", "HTTP/3.0", "HTTP/11", "HTTP/0.9", "http/1.1", "HTTPS/1.1", "SHTTP/1.4", "XHTTP/1.1", "HTTP/1,1", "HTTP/1.1 .", "HTTP/1.1;", "HTTP/1.1\x00", "\"HTTP/1.1\"", "HTTP /1.1", "TTP/1.1", "ICY/1.1"}

const tail = "\r\nHost: liar\r\nContent-Length: 0\r\n\r\n"

// liars say what looks like a request up to the version.
var liars = []Protocol{
	exchanged("SIP", from(func(d Dice) string {
		return fmt.Sprintf("%s sip:%s@example.org SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=%s\r\nContent-Length: 0\r\n\r\n", pick(d, "INVITE", "REGISTER", "OPTIONS", "BYE"), d.word(), strings.Repeat("z", d.length(900)))
	}), ok("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")),
	exchanged("RTSP", from(func(d Dice) string {
		return fmt.Sprintf("%s rtsp://example.org/%s RTSP/1.0\r\nCSeq: %d\r\n\r\n", pick(d, "DESCRIBE", "SETUP", "PLAY", "OPTIONS"), strings.Repeat(d.word(), 1+d.length(200)), d.IntN(100))
	}), ok("RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n")),
	exchanged("ICY", from(func(d Dice) string { return "SOURCE /" + d.word() + " ICE/1.0\r\ncontent-type: audio/mpeg\r\n\r\n" }), ok("ICY 200 OK\r\n\r\n")),
	exchanged("HTTP/0.9", from(func(d Dice) string { return pick(d, "GET /", "GET /"+d.word(), "GET  /", "get /x") + "\r\n" }), ok("<html></html>\r\n")),
	exchanged("other versions", from(func(d Dice) string {
		return pick(d, "GET", "POST", "PUT", "M-SEARCH", "get") + " /" + strings.Repeat("p", d.length(3000)) + " " + pick(d, versions...) + tail
	}), ok("HTTP/1.1 505 No\r\nContent-Length: 0\r\n\r\n")),
	exchanged("version inside a line", from(func(d Dice) string {
		return fmt.Sprintf("LOG %s \"GET /%s HTTP/1.1\" 200 %d\r\n\r\n", d.word(), d.word(), d.IntN(9999))
	}), ok("OK\r\n")),
	{Name: "version at a cut", Speak: cutAtVersion},
	exchanged("long first lines", from(func(d Dice) string {
		return "GET /" + strings.Repeat("l", 100+d.length(100_000)) + " " + pick(d, versions...) + tail
	}), ok("NO\r\n")),
	exchanged("no method", from(func(d Dice) string {
		return pick(d, " GET / HTTP/1.1", "G(T / HTTP/1.1", "\x00GET / HTTP/1.1", "GET\t/ HTTP/1.1", "GET/HTTP/1.1", "<GET> / HTTP/1.1", "{GET / HTTP/1.1", "/ HTTP/1.1", "GET: / HTTP/1.1") + "x" + tail
	}), ok("NO\r\n")),
}

// cutAtVersion has calls end behind HTTP/1.1 in the middle of a first line, and the
// word end where the engine's steps may.
func cutAtVersion(d Dice) (turns []talk.Turn) {
	for range d.many() {
		end := pick(d, 128, 512, 640, 1024, 4096, 8192, 16384, 20+d.IntN(60_000)) + pick(d, -2, -1, 0, 1, 2)
		first := "GET /"
		version := " HTTP/1." + pick(d, "0", "1")
		line := first + strings.Repeat("c", end-len(first)-len(version)) + version
		rest := pick(d, " and more\r\n\r\n", "5\r\n\r\n", "x\n\n", ".\r\n"+tail, "\x00\r\n\r\n", " \"\r\n\r\n")
		if d.IntN(2) == 0 {
			turns = append(turns, asks(line), asks(rest))
		} else {
			turns = append(turns, asks(line+rest))
		}
		if d.IntN(4) == 0 {
			turns = append(turns, tells("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"))
		}
	}
	return turns
}
