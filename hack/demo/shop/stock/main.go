// Command stock reserves what is ordered, and counts in Redis how much that is. It speaks gRPC,
// with messages that need no code generated of their own.
package main

import (
	"context"
	"log/slog"
	"net"
	"os"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// reserver is what grpc checks an implementation against.
type reserver interface {
	Reserve(ctx context.Context, order *wrapperspb.StringValue) (*wrapperspb.Int64Value, error)
}

// description is that of package shop, service Stock, method Reserve.
var description = grpc.ServiceDesc{
	ServiceName: "shop.Stock",
	HandlerType: (*reserver)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Reserve", Handler: handle}},
}

func handle(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	var order wrapperspb.StringValue
	if err := decode(&order); err != nil {
		return nil, err
	}
	if intercept == nil {
		return srv.(reserver).Reserve(ctx, &order)
	}
	return intercept(ctx, &order, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/shop.Stock/Reserve"}, func(ctx context.Context, asked any) (any, error) {
		return srv.(reserver).Reserve(ctx, asked.(*wrapperspb.StringValue))
	})
}

type stock struct{ cache *redis.Client }

// Reserve answers how many are reserved, of an endless stock. An order without a name is refused.
func (s stock) Reserve(ctx context.Context, order *wrapperspb.StringValue) (*wrapperspb.Int64Value, error) {
	if order.Value == "" {
		return nil, status.Error(codes.InvalidArgument, "an order needs a name")
	}
	reserved, err := s.cache.Incr(ctx, "reserved").Result()
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "counting: %v", err)
	}
	return wrapperspb.Int64(reserved), nil
}

func main() {
	if err := serve(); err != nil {
		slog.Error("serving", "error", err)
		os.Exit(1)
	}
}

func serve() error {
	addr := env("LISTEN", ":8080")
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&description, stock{cache: redis.NewClient(&redis.Options{Addr: env("REDIS", "redis:6379"), DisableIdentity: true})})
	healthpb.RegisterHealthServer(server, health.NewServer())
	slog.Info("stock listens", "address", addr)
	return server.Serve(listener)
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
