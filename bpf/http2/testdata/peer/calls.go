package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// callGetter returns what asks for a path with a call, every third time one that goes on for
// some messages, over one of several connections, of which one is there before anybody asks.
// Over these go calls that nobody has asked for, too, from the first request on: one more every
// two milliseconds. A hasty one calls more than once, and gives up mostly before it has got a
// stream; one that is not busy makes none of its own.
func callGetter(next string, hasty, busy bool) (func(string), error) {
	trusted, err := clientCredentials()
	if err != nil {
		return nil, err
	}
	var conns []*grpc.ClientConn
	for range 3 {
		conn, err := grpc.NewClient(next, grpc.WithTransportCredentials(trusted))
		if err != nil {
			return nil, err
		}
		conns = append(conns, conn)
	}
	if busy {
		conns[0].Connect()
	}
	var n atomic.Int64
	return func(path string) {
		i := n.Add(1)
		if i == 1 && busy {
			for number, conn := range conns {
				go ofItsOwn(conn, number)
			}
		}
		conn := conns[i%int64(len(conns))]
		if hasty {
			for try := range rand.IntN(3) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(3000))*time.Microsecond)
				_ = unary(ctx, conn, fmt.Sprintf("/200Hasty%d%s", try, path))
				cancel()
			}
		}
		if i%3 == 0 {
			_ = talk(context.Background(), conn, "/200Talk"+path, wrapperspb.String(strings.Repeat("m", int(i)*37%3000)))
			return
		}
		_ = unary(context.Background(), conn, "/200Unary"+path)
	}, nil
}

// ofItsOwn calls for nobody, as a health check does, one or a few at once.
func ofItsOwn(conn *grpc.ClientConn, number int) {
	for i := 0; ; i++ {
		for part := range 1 + i%3 {
			go func() { _ = unary(context.Background(), conn, fmt.Sprintf("/200Unary/own/%d/%d/%d", number, i, part)) }()
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func unary(ctx context.Context, conn *grpc.ClientConn, method string) error {
	return conn.Invoke(ctx, method, wrapperspb.String(""), new(wrapperspb.StringValue))
}
