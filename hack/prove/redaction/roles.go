package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"google.golang.org/grpc"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/run"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/hack/servers"
)

// The roles that this binary plays beside the proof, by its first argument.
const (
	asODI  = "as-odi"
	asPeer = "as-peer"
	asHTTP = "as-http-server"
	asGRPC = "as-grpc-server"
)

// playRole ends the process if it is one of the others.
func playRole() {
	if len(os.Args) < 2 {
		return
	}
	var err error
	switch os.Args[1] {
	case asODI:
		cmd := run.New(streams.Standard())
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(os.Args[2:])
		if err = cmd.Execute(); err != nil && !exit.Quiet(err) {
			fmt.Fprintln(os.Stderr, "odi:", err)
		}
		os.Exit(exit.Code(err))
	case asPeer:
		err = talk(os.Stdin)
	case asHTTP:
		err = serveOn(os.Args[2], func(l net.Listener) error { return servers.HTTP(l, http.HandlerFunc(answer)) })
	case asGRPC:
		err = serveOn(os.Args[2], func(l net.Listener) error { return servers.GRPC(l, call) })
	default:
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveOn(addr string, serve func(net.Listener) error) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return serve(l)
}

// call answers with what it was told, in metadata too; of /x/Fail it fails with these words.
func call(ctx context.Context, method, message string) (string, error) {
	if err := grpc.SetTrailer(ctx, metadata.Pairs("x-told", message)); err != nil {
		return "", err
	}
	if method == "/shop.Orders/Fail" {
		return "", status.Error(codes.Internal, "no such order: "+message)
	}
	return message, nil
}

// broker is Kafka's, which also lets in by name and password.
func broker() (addr string, stop func(), err error) {
	cluster, addr, err := servers.Kafka(kfake.SeedTopics(1, "orders"))
	if err != nil {
		return "", nil, err
	}
	return addr, cluster.Close, nil
}

// guardedBroker is one that asks for a password.
func guardedBroker(password string) (addr string, stop func(), err error) {
	if password == "" {
		return "", nil, errors.New("a password has characters")
	}
	cluster, addr, err := servers.Kafka(kfake.SeedTopics(1, "orders"), kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", password))
	if err != nil {
		return "", nil, err
	}
	return addr, cluster.Close, nil
}
