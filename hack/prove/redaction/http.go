package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// answer is the server's: it says back what it was told, in a cookie and in the body.
func answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/upgrade" {
		upgrade(w)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Set-Cookie", "session="+r.Header.Get("X-Session"))
	w.Header().Set("Location", "/next?token="+r.Header.Get("X-Session"))
	_, _ = w.Write(body)
}

// upgrade goes on with a protocol of its own: it says back what comes.
func upgrade(w http.ResponseWriter) {
	conn, stream, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }() // the client is gone by then
	_, _ = stream.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	_ = stream.Flush()
	_, _ = io.Copy(conn, stream)
}

// request sends the bytes, with the secret for every %s, and reads the answer.
func request(pieces ...string) func(*world, string) error {
	return func(w *world, secret string) error {
		conn, err := net.Dial("tcp", w.http)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }() // the answer was read
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		for i, piece := range pieces {
			if i > 0 {
				time.Sleep(5 * time.Millisecond) // a call, and a packet, of its own
			}
			if _, err := io.WriteString(conn, strings.ReplaceAll(piece, "%s", secret)); err != nil {
				return err
			}
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }() // it was read
		if resp.StatusCode != http.StatusSwitchingProtocols {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		return err
	}
}

// upgraded goes on with bytes like a request when the connection has another protocol.
func upgraded(w *world, secret string) error {
	conn, err := net.Dial("tcp", w.http)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the answer was read
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET /upgrade HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"); err != nil {
		return err
	}
	back := bufio.NewReader(conn)
	resp, err := http.ReadResponse(back, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it has none
	said := "GET /" + secret + " HTTP/1.1\r\nHost: shop\r\nCookie: " + secret + "\r\n\r\n"
	if _, err := io.WriteString(conn, said); err != nil {
		return err
	}
	_, err = io.ReadFull(back, make([]byte, len(said)))
	return err
}

// get asks for a target that holds the secret.
func get(target string) func(*world, string) error {
	return request("GET " + target + " HTTP/1.1\r\nHost: shop\r\n\r\n")
}

// with asks with a header that holds the secret.
func with(header string) func(*world, string) error {
	return request("GET /orders HTTP/1.1\r\nHost: shop\r\n" + header + "\r\n\r\n")
}

func post(body string) func(*world, string) error {
	return func(w *world, secret string) error {
		body := strings.ReplaceAll(body, "%s", secret)
		return request(fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n%s", len(body), body))(w, secret)
	}
}

// basic is user and password as the header Authorization has them.
func basic(w *world, secret string) error {
	return with("Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("alice:"+secret)))(w, secret)
}

func httpPlaces() []place {
	return []place{
		{name: "http: path " + shown, put: get("/shown/%s")},
		{name: "http: query value", put: get("/orders?token=%s&page=2")},
		{name: "http: query word", put: get("/orders?%s")},
		{name: "http: query value behind a semicolon", put: get("/orders?page=1;token=%s")},
		{name: "http: query page", put: get("/orders?page=%s&size=%s&order=%s")},
		{name: "http: query with two question marks", put: get("/orders?page=1?token=%s")},
		{name: "http: query without key", put: get("/orders?=%s&&=%s=x")},
		{name: "http: fragment", put: get("/orders#token=%s")},
		{name: "http: path parameter", put: get("/orders;jsessionid=%s/items;v=1;t=%s?page=1")},
		{name: "http: user info in the target", put: get("http://alice:%s@shop/orders")},
		{name: "http: user info in Host", put: request("GET /orders HTTP/1.1\r\nHost: alice:%s@shop\r\n\r\n")},
		{name: "http: Authorization Bearer", put: with("Authorization: Bearer %s")},
		{name: "http: Authorization Basic", put: basic},
		{name: "http: Proxy-Authorization", put: with("Proxy-Authorization: Digest %s")},
		{name: "http: Cookie", put: with("Cookie: session=%s; theme=dark")},
		{name: "http: X-Api-Key", put: with("X-Api-Key: %s")},
		{name: "http: header of any name", put: with("%s: 1")},
		{name: "http: Set-Cookie and Location", put: with("X-Session: %s")},
		{name: "http: Referer", put: with("Referer: https://shop/?token=%s")},
		{name: "http: Forwarded", put: with("Forwarded: for=%s;by=%s;host=%s")},
		{name: "http: X-Forwarded", put: with("X-Forwarded-For: %s\r\nX-Forwarded-Host: u:%s@h\r\nX-Forwarded-Proto: %s")},
		{name: "http: baggage", put: with("baggage: user=%s")},
		{name: "http: tracestate of nobody", put: with("tracestate: %s=1")},
		{name: "http: content type", put: with("Content-Type: multipart/form-data; boundary=%s")},
		{name: "http: folded header", put: with("X-Long: a\r\n %s")},
		{name: "http: body", put: post(`{"password": "%s"}`)},
		{name: "http: body like a request", put: post("GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n\r\n")},
		{name: "http: body like a request, by itself", put: func(w *world, secret string) error {
			body := "GET /" + secret + " HTTP/1.1\r\nHost: a\r\n\r\n"
			return request(fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n", len(body)), body)(w, secret)
		}},
		{name: "http: body like an answer", put: post("HTTP/1.1 500 %s\r\nServer: %s\r\n\r\n")},
		{name: "http: chunks", put: func(w *world, secret string) error {
			return request("POST /orders HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n",
				fmt.Sprintf("%x;ext=%s\r\n%s\r\n0\r\nX-T: %s\r\n\r\n", len(secret), secret, secret, secret))(w, secret)
		}},
		{name: "http: long head", put: request("GET /orders HTTP/1.1\r\nHost: shop\r\nX-Pad: " + strings.Repeat("p", 900) + "\r\nX-Token: %s\r\n\r\n")},
		{name: "http: long query", put: get("/orders?pad=" + strings.Repeat("p", 990) + "%s&token=%s")},
		{name: "http: long query that ends in a key", put: get("/orders?" + strings.Repeat("page=1&", 140) + "token=%s")},
		{name: "http: after an upgrade", put: upgraded},
		{name: "http: CONNECT", put: request("CONNECT alice:%s@shop:443 HTTP/1.1\r\nHost: alice:%s@shop:443\r\n\r\n")},
		{name: "http: pipelined", put: request("GET /a?token=%s HTTP/1.1\r\nHost: shop\r\nCookie: %s\r\n\r\nGET /b?token=%s HTTP/1.1\r\nHost: shop\r\nCookie: %s\r\n\r\n")},
		{name: "http: behind the version", put: request("GET /orders HTTP/1.1 %s\r\nHost: shop\r\n\r\n")},
		{name: "http: no HTTP at all", put: request("HELO %s\r\nAUTH PLAIN %s\r\n\r\n")},
	}
}
