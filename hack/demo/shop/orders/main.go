// Command orders keeps orders in PostgreSQL, over TLS, and in Redis what was asked for last; what is
// ordered it reserves by gRPC. It asks all of them on the goroutine that serves the request.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// store is where orders are, and what they are taken from.
type store struct {
	rows  *pgxpool.Pool
	cache *redis.Client
	stock *grpc.ClientConn
}

// url is that of a pool whose connections are all there soon: PostgreSQL forks a process for each, of which odi
// may miss the first milliseconds.
const url = "postgres://shop@postgres:5432/postgres?sslmode=require&pool_min_conns=4&pool_max_conns=4&pool_health_check_period=1s"

func main() {
	if err := serve(context.Background()); err != nil {
		slog.Error("serving", "error", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	rows, err := pgxpool.New(ctx, env("POSTGRES", url))
	if err != nil {
		return err
	}
	stock, err := grpc.NewClient(env("STOCK", "stock:8080"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	s := store{rows: rows, stock: stock, cache: redis.NewClient(&redis.Options{Addr: env("REDIS", "redis:6379"), DisableIdentity: true})}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	addr := env("LISTEN", ":8080")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /stored/{order}", s.stored)
	slog.Info("orders listens", "address", addr)
	return http.ListenAndServe(addr, mux)
}

// prepare makes the table, once the databases answer.
func (s store) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := s.rows.Exec(ctx, "CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, made timestamptz NOT NULL DEFAULT now())")
		if err == nil {
			err = s.cache.Ping(ctx).Err()
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the databases: %w", err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// stored answers when an order was made: now, if nobody has asked for it before.
func (s store) stored(w http.ResponseWriter, r *http.Request) {
	order := r.PathValue("order")
	made, err := s.madeAt(r.Context(), order)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]string{"order": order, "made": made}); err != nil {
		slog.Error("answering", "order", order, "error", err)
	}
}

func (s store) madeAt(ctx context.Context, order string) (string, error) {
	made, err := s.cache.Get(ctx, order).Result()
	if !errors.Is(err, redis.Nil) {
		return made, err
	}
	if err := s.reserve(ctx, order); err != nil {
		return "", err
	}
	var at time.Time
	err = s.rows.QueryRow(ctx, "INSERT INTO orders (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING made", order).Scan(&at)
	if err != nil {
		return "", err
	}
	made = at.Format(time.RFC3339Nano)
	return made, s.cache.Set(ctx, order, made, time.Minute).Err()
}

func (s store) reserve(ctx context.Context, order string) error {
	var reserved wrapperspb.Int64Value
	return s.stock.Invoke(ctx, "/shop.Stock/Reserve", wrapperspb.String(order), &reserved)
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
