package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// serving is a server of HTTP/2 that asks one of HTTP/1, see hop. Every tenth request starts
// something that asks when it has its answer, and a timer asks for nobody.
func serving(kind, addr, next string) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 400}}
	get := func(path string) {
		resp, err := client.Get("http://" + next + "/200" + path)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	go func() {
		for i := 0; ; i++ {
			get(fmt.Sprintf("/own/%d/0", i))
			time.Sleep(2 * time.Millisecond)
		}
	}()
	var n atomic.Int64
	serve := func(path string) {
		if i := n.Add(1); i%10 == 0 {
			go func() {
				time.Sleep(time.Duration(5+i%50) * time.Millisecond)
				get(fmt.Sprintf("/late/%d/0", i))
			}()
		}
		getParts(get, path)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(r.URL.Path) })
	switch kind {
	case "http2-serving":
		return (&http.Server{Addr: addr, Protocols: plain(), Handler: handler}).ListenAndServe()
	case "x-serving":
		return http.ListenAndServe(addr, h2c.NewHandler(handler, &http2.Server{}))
	case "grpc-workers":
		return serveCalls(addr, serve, grpc.NumStreamWorkers(8))
	}
	return serveCalls(addr, serve)
}

// passing is a server of calls that calls another one for each.
func passing(addr, next string) error {
	get, err := callGetter(next, false, false)
	if err != nil {
		return err
	}
	return serveCalls(addr, func(path string) { getParts(get, path) })
}

// serveCalls serves calls of any method, by its name: one message, or as many as come. What
// it asks for is asked for by what stands before its handler.
func serveCalls(addr string, serve func(string), options ...grpc.ServerOption) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	before := func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		method, _ := grpc.MethodFromServerStream(stream)
		serve(method)
		return handler(server, stream)
	}
	handler := func(_ any, stream grpc.ServerStream) error {
		for {
			var m wrapperspb.StringValue
			if err := stream.RecvMsg(&m); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := stream.SendMsg(&m); err != nil {
				return err
			}
		}
	}
	return grpc.NewServer(append(options, grpc.StreamInterceptor(before), grpc.UnknownServiceHandler(handler))...).Serve(l)
}

// asking asks for the numbers from 1 on behind a path. Most requests have a trace context, of
// which some are those of others; every seventh is given up.
func asking(kind, addr string, requests, parallel int, path string) error {
	ask, err := askerFor(kind, addr)
	if err != nil {
		return err
	}
	return each(requests, parallel, func(i int) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if i%7 == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(i%40)*100*time.Microsecond)
		}
		defer cancel()
		header := ""
		if i%3 > 0 {
			header = fmt.Sprintf("00-%032x-%016x-01", 0x1234567890abcdef+i/5, 0xfedcba9876543210+uint64(i/5))
		}
		if err := ask(ctx, fmt.Sprintf("%s%d", path, i+1), header, i); err != nil && i%7 > 0 {
			return err
		}
		return nil
	})
}

func askerFor(kind, addr string) (func(ctx context.Context, path, header string, i int) error, error) {
	if kind == "http-client" {
		client := &http.Client{Transport: &http.Transport{Protocols: plain()}}
		return func(ctx context.Context, path, header string, i int) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+path, strings.NewReader(strings.Repeat("b", i%3000)))
			if err != nil {
				return err
			}
			req.Header.Set("x-token", strings.Repeat("t", i*7%2500)) // heads in pieces
			if header != "" {
				req.Header.Set("traceparent", header)
			}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.Body.Close()
		}, nil
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, path, header string, i int) error {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-token", strings.Repeat("t", i*7%2500))
		if header != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", header)
		}
		return talk(ctx, conn, path, wrapperspb.String("m"))
	}, nil
}
