// Command stores serves HTTP on an address, and asks PostgreSQL and Redis for each request.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func main() {
	listen, postgres, cache := os.Args[1], os.Args[2], os.Args[3]
	client := redis.NewClient(&redis.Options{Addr: cache, PoolSize: 10, DisableIdentity: true})
	connections := make(chan *pgx.Conn, 10)
	err := http.ListenAndServe(listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var conn *pgx.Conn
		var err error
		select {
		case conn = <-connections:
		default:
			conn, err = pgx.Connect(r.Context(), "postgres://postgres@"+postgres+"/postgres?sslmode=disable")
		}
		if err == nil {
			_, err = conn.Exec(r.Context(), "SELECT $1::text", r.URL.Path)
		}
		if err == nil {
			err = client.Set(r.Context(), "last", r.URL.Path, 0).Err()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		connections <- conn
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
