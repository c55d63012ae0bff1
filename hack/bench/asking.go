package main

import (
	"bufio"
	"context"
	databasesql "database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// asking are connections to a server: each worker has a function that asks once.
type asking struct {
	workers []func(context.Context) error
	close   func() error
}

// clients open connections of a protocol, by the name of the case.
var clients = map[string]func(ctx context.Context, addr string) (*asking, error){
	"http": askHTTP, "nginx": askHTTP, "grpc": askGRPC, "postgres": askPostgres, "mysql": askMySQL, "redis": askRedis, "kafka": askKafka,
}

func same(n int, ask func(context.Context) error, end func() error) *asking {
	a := &asking{close: end}
	for range n {
		a.workers = append(a.workers, ask)
	}
	return a
}

func askHTTP(_ context.Context, addr string) (*asking, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	url := "http://" + addr + "/hello?user=1"
	end := func() error { client.CloseIdleConnections(); return nil }
	return same(connections, func(context.Context) error { return ask(client, url) }, end), nil
}

func askGRPC(_ context.Context, addr string) (*asking, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return same(connections, func(ctx context.Context) error {
		return conn.Invoke(ctx, "/shop.Orders/Get", wrapperspb.String("1"), new(wrapperspb.StringValue))
	}, conn.Close), nil
}

// databaseConnections are fewer: the servers do more for each.
const databaseConnections = 8

const rowOf = "SELECT id FROM orders WHERE id = "

func askPostgres(ctx context.Context, addr string) (*asking, error) {
	a := &asking{}
	var ends []func() error
	a.close = func() (err error) {
		for _, end := range ends {
			err = errors.Join(err, end())
		}
		return err
	}
	for range databaseConnections {
		conn, err := pgx.Connect(ctx, "postgres://postgres@"+addr+"/postgres?sslmode=disable")
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		ends = append(ends, func() error { return conn.Close(context.Background()) })
		a.workers = append(a.workers, func(ctx context.Context) error {
			var id int
			return conn.QueryRow(ctx, rowOf+"$1", 7).Scan(&id)
		})
	}
	return a, nil
}

func askMySQL(_ context.Context, addr string) (*asking, error) {
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr, config.DBName = "root", "tcp", addr, "test"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := databasesql.OpenDB(connector)
	db.SetMaxIdleConns(databaseConnections)
	return same(databaseConnections, func(ctx context.Context) error {
		var id int
		return db.QueryRowContext(ctx, rowOf+"7").Scan(&id)
	}, db.Close), nil
}

func askRedis(ctx context.Context, addr string) (*asking, error) {
	client := redis.NewClient(&redis.Options{Addr: addr, PoolSize: connections})
	if err := client.Set(ctx, "order", "hello", 0).Err(); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return same(connections, func(ctx context.Context) error { return client.Get(ctx, "order").Err() }, client.Close), nil
}

func askKafka(_ context.Context, addr string) (*asking, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ClientID("shop"), kgo.ProducerLinger(0), kgo.DisableClientMetrics(), kgo.DisableIdempotentWrite())
	if err != nil {
		return nil, err
	}
	// One at a time: each record is a request of its own.
	return same(1, func(ctx context.Context) error {
		return client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("hello")}).FirstErr()
	}, func() error { client.Close(); return nil }), nil
}

// driveProtocol reads orders: "open" closes what is open and opens it anew, a number has it
// asked for so many milliseconds. It answers each with how often it asked.
func driveProtocol(kind, addr string, orders io.Reader, answers io.Writer) error {
	_, _ = fmt.Fprintln(answers, "ready")
	var now *asking
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var ms int
		if lines.Text() == "open" {
			if now != nil {
				if err := now.close(); err != nil {
					return err
				}
			}
			var err error
			if now, err = clients[kind](context.Background(), addr); err != nil {
				return err
			}
			ms = 100 // every connection has asked
		} else if _, err := fmt.Sscan(lines.Text(), &ms); err != nil {
			return err
		}
		n, err := now.load(time.Duration(ms) * time.Millisecond)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(answers, n)
	}
	return nil
}

func (a *asking) load(d time.Duration) (int64, error) {
	var done atomic.Int64
	var work sync.WaitGroup
	failed := make([]error, len(a.workers))
	end := time.Now().Add(d)
	for i, ask := range a.workers {
		work.Go(func() {
			for time.Now().Before(end) && failed[i] == nil {
				if failed[i] = ask(context.Background()); failed[i] == nil {
					done.Add(1)
				}
			}
		})
	}
	work.Wait()
	return done.Load(), errors.Join(failed...)
}
