// Command peer is a server or a client of HTTP/2, with Go's library or gRPC's, in the
// tests of the room: peer KIND ADDR [REQUESTS PARALLEL | NEXT].
// A client waits for a line.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(kind, addr string) error {
	switch kind {
	case "http-server":
		return serveHTTP(addr)
	case "grpc-server":
		return serveGRPC(addr)
	case "grpc-narrow-server":
		return serveGRPC(addr, grpc.MaxConcurrentStreams(3))
	case "hop", "grpc-hop", "grpc-hasty-hop", "grpc-quiet-hop":
		return hop(kind, addr, os.Args[3])
	case "grpc-passing":
		return passing(addr, os.Args[3])
	case "http2-serving", "x-serving", "grpc-serving", "grpc-workers":
		return serving(kind, addr, os.Args[3])
	case "http2-pooling", "x-pooling", "grpc-pooling", "grpc-workers-pooling":
		return pooling(kind, addr, os.Args[3])
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	requests, _ := strconv.Atoi(os.Args[3])
	parallel, _ := strconv.Atoi(os.Args[4])
	if len(os.Args) > 5 {
		return asking(kind, addr, requests, parallel, os.Args[5])
	}
	ask, err := asker(kind, addr)
	if err != nil {
		return err
	}
	return each(requests, parallel, ask)
}

// each asks for every number once, so many at a time.
func each(requests, parallel int, ask func(int) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	numbers := make(chan int)
	for range parallel {
		wg.Go(func() {
			for i := range numbers {
				if err := ask(i); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
				}
			}
		})
	}
	for i := range requests {
		numbers <- i
	}
	close(numbers)
	wg.Wait()
	return first
}

func asker(kind, addr string) (func(int) error, error) {
	if kind == "http-client" || kind == "own-client" {
		return askHTTP(kind, addr), nil
	}
	trusted, err := clientCredentials()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(trusted))
	if err != nil {
		return nil, err
	}
	return func(i int) error { return call(conn, i) }, nil
}

func plain() *http.Protocols {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &p
}

// serveHTTP answers a request for /STATUS/ANYTHING with that status, 400 where it has more
// than one traceparent; of a POST it sends
// back the body.
func serveHTTP(addr string) error {
	protocols := plain()
	protocols.SetHTTP1(true)
	server := &http.Server{Addr: addr, Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(strings.Split(r.URL.Path, "/")[1])
		if len(r.Header["Traceparent"]) > 1 {
			code = http.StatusBadRequest
		}
		w.WriteHeader(code)
		_, _ = io.Copy(w, r.Body)
	})}
	return server.ListenAndServe()
}

// hop is a server of HTTP/1 that asks another one, by HTTP/2 or a call, for what it is
// asked for: the path says for how many parts, each of which is asked for by a goroutine
// of its own if there are several.
func hop(kind, addr, next string) error {
	get, err := getter(kind, next)
	if err != nil {
		return err
	}
	return http.ListenAndServe(addr, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		getParts(get, r.URL.Path)
	}))
}

func getParts(get func(string), path string) {
	parts, _ := strconv.Atoi(strings.Split(path, "/")[1])
	if parts <= 1 {
		get(path + "/0")
		return
	}
	var wg sync.WaitGroup
	for part := range parts {
		wg.Go(func() { get(fmt.Sprintf("%s/%d", path, part)) })
	}
	wg.Wait()
}

// getter returns what asks for a path.
func getter(kind, next string) (func(string), error) {
	if kind != "hop" {
		return callGetter(next, kind == "grpc-hasty-hop", kind != "grpc-quiet-hop")
	}
	client := &http.Client{Transport: &http.Transport{Protocols: plain()}}
	return func(path string) {
		resp, err := client.Get("http://" + next + "/200" + path)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}, nil
}

// askHTTP asks for /STATUS/NUMBER: every third time with a body, every tenth for 404. The
// client of its own kind writes a traceparent into every fourth.
func askHTTP(kind, addr string) func(int) error {
	client := &http.Client{Transport: &http.Transport{Protocols: plain()}}
	return func(i int) error {
		code := 200
		if i%10 == 0 {
			code = 404
		}
		method, body := http.MethodGet, ""
		if i%3 == 0 {
			method, body = http.MethodPost, strings.Repeat("b", i*37%30000)
		}
		req, err := http.NewRequest(method, fmt.Sprintf("http://%s/%d/%d", addr, code, i), strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("x-number", strconv.Itoa(i))
		if kind == "own-client" && i%4 == 3 {
			req.Header.Set("traceparent", fmt.Sprintf("00-%032x-%016x-01", i/40+1, i/20+1))
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && (resp.StatusCode != code || n != int64(len(body))) {
			return fmt.Errorf("%d: %s with %d bytes", i, resp.Status, n)
		}
		return err
	}
}

// serveGRPC answers any method of any service by its name.
func serveGRPC(addr string, options ...grpc.ServerOption) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	own, err := serverCredentials()
	if err != nil {
		return err
	}
	return grpc.NewServer(append(options, grpc.Creds(own), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if len(options) > 0 {
			time.Sleep(time.Millisecond) // others wait for a stream
		}
		method, _ := grpc.MethodFromServerStream(stream)
		for {
			var m wrapperspb.StringValue
			if err := stream.RecvMsg(&m); err == io.EOF {
				break
			} else if err != nil {
				return err
			}
			if strings.Contains(method, "Missing") {
				return status.Error(codes.NotFound, "secret reason")
			}
			if strings.Contains(method, "Broken") {
				return status.Error(codes.DataLoss, "secret reason")
			}
			if err := stream.SendMsg(&m); err != nil {
				return err
			}
			if strings.Contains(method, "Unary") {
				return nil
			}
		}
		return nil
	}))...).Serve(l)
}

// call makes a call whose method says what comes of it.
func call(conn *grpc.ClientConn, i int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m := wrapperspb.String(strings.Repeat("m", i*37%3000))
	want := codes.OK
	kind := "Unary"
	switch {
	case i%10 == 0:
		kind, want = "UnaryMissing", codes.NotFound
	case i%10 == 1:
		kind, want = "UnaryBroken", codes.DataLoss
	case i%10 == 2:
		return talk(ctx, conn, fmt.Sprintf("/odi.test.Peer/Talk%d", i), m)
	case i%100 == 3: // more than a frame takes
		kind, ctx = "UnaryLarge", metadata.AppendToOutgoingContext(ctx, "x-large", strings.Repeat("!large#", 3000+i%1000))
	case i%10 == 4:
		return leave(ctx, cancel, conn, fmt.Sprintf("/odi.test.Peer/Cancel%d", i), m)
	}
	err := conn.Invoke(ctx, fmt.Sprintf("/odi.test.Peer/%s%d", kind, i), m, new(wrapperspb.StringValue))
	if got := status.Code(err); got != want {
		return fmt.Errorf("call %d: %v, want %v", i, err, want)
	}
	return nil
}

// leave gets an answer to a message and gives up.
func leave(ctx context.Context, cancel func(), conn *grpc.ClientConn, method string, m *wrapperspb.StringValue) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(m); err != nil {
		return err
	}
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); err != nil {
		return err
	}
	cancel()
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); status.Code(err) != codes.Canceled {
		return fmt.Errorf("%s, given up: %w", method, err)
	}
	return nil
}

// talk sends some messages and gets as many.
func talk(ctx context.Context, conn *grpc.ClientConn, method string, m *wrapperspb.StringValue) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		return err
	}
	for range 5 {
		if err := stream.SendMsg(m); err != nil {
			return err
		}
		if err := stream.RecvMsg(new(wrapperspb.StringValue)); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); err != io.EOF {
		return fmt.Errorf("the end of %s: %w", method, err)
	}
	return nil
}
