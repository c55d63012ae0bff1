package servers

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Listener gives what serves in Go an address of its own.
func Listener() (net.Listener, error) {
	addr, _, err := free()
	if err != nil {
		return nil, err
	}
	return net.Listen("tcp", addr)
}

// HTTP answers requests of HTTP/1 and, without TLS, HTTP/2.
func HTTP(l net.Listener, handler http.Handler) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: &protocols}
	return server.Serve(l)
}

// Hello is a handler that answers with a word.
func Hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") }

// Call is what a server of gRPC does of any method. A message is a StringValue.
type Call func(ctx context.Context, method, message string) (string, error)

// GRPC serves unary calls of any method.
func GRPC(l net.Listener, call Call) error {
	return grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var in wrapperspb.StringValue
		if err := stream.RecvMsg(&in); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		out, err := call(stream.Context(), method, in.GetValue())
		if err != nil {
			return err
		}
		return stream.SendMsg(wrapperspb.String(out))
	})).Serve(l)
}

// Kafka starts a broker within this process.
func Kafka(options ...kfake.Opt) (cluster *kfake.Cluster, addr string, err error) {
	addr, port, err := free()
	if err != nil {
		return nil, "", err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, "", err
	}
	cluster, err = kfake.NewCluster(append(options, kfake.NumBrokers(1), kfake.Ports(number))...)
	return cluster, addr, err
}
