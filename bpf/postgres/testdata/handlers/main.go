// Command handlers serves HTTP/2 (KIND http) or calls of gRPC (grpc) and asks PostgreSQL for a
// table that is named after the path: handlers KIND ADDR URL. A timer asks for others.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const connections = 20

func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(kind, addr, url string) error {
	free := make(chan *pgx.Conn, connections)
	for range connections {
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			return err
		}
		free <- conn
	}
	ask := func(table string) {
		conn := <-free
		_, _ = conn.Exec(context.Background(), "SELECT n FROM "+table) // there is none: the error is the answer
		free <- conn
	}
	go func() {
		for i := 0; ; i++ {
			ask(fmt.Sprintf("own_%d", i))
			time.Sleep(3 * time.Millisecond)
		}
	}()
	if kind == "grpc" {
		return serveCalls(addr, ask)
	}
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: addr, Protocols: &p, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ask(r.URL.Path[1:]) })}
	return server.ListenAndServe()
}

func serveCalls(addr string, ask func(string)) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var m wrapperspb.StringValue
		if err := stream.RecvMsg(&m); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		ask(method[strings.LastIndexByte(method, '/')+1:])
		return stream.SendMsg(&m)
	})).Serve(l)
}
