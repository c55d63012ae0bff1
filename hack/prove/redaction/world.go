package main

import (
	"context"
	databasesql "database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/odi-dev/odi/hack/servers"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// world are the servers that run, and connections to them.
type world struct {
	dir         string
	http        string
	over2       *http.Client
	grpc, kafka string
	postgres    *pgx.Conn
	mysql       *databasesql.DB
	mysqlDSN    string
	redis       *redis.Client

	stops []func()
}

// ctx bounds what one place takes.
func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	w.stops = append(w.stops, cancel)
	return ctx
}

// orders are what the peer is told.
type orders struct {
	// Dir is an empty folder. What the peer has to say is in its file errors.
	Dir    string
	Hidden []hidden
}

// loading is how long odi takes at most until it sees all protocols; it begins as odi starts.
const loading = 3 * time.Second

// tooLong is when something hangs: then the servers end, and the proof fails.
const tooLong = 90 * time.Second

// talk reads the orders, and puts every secret into its place.
func talk(from io.Reader) error {
	var o orders
	if err := json.NewDecoder(from).Decode(&o); err != nil {
		return err
	}
	said, err := os.Create(filepath.Join(o.Dir, "errors"))
	if err != nil {
		return err
	}
	ready := time.After(loading)
	w := &world{dir: o.Dir}
	defer w.stop()
	if err := w.start(); err != nil {
		fmt.Fprintln(said, err)
		return errors.Join(err, said.Close())
	}
	<-ready
	giveUp := time.AfterFunc(tooLong, func() {
		w.stop()
		os.Exit(1)
	})
	defer giveUp.Stop()
	put := map[string]func(*world, string) error{}
	for _, p := range places() {
		put[p.name] = p.put
	}
	for _, h := range o.Hidden {
		if err := put[h.Place](w, h.Secret); err != nil {
			fmt.Fprintf(said, "%s: %v\n", h.Place, err)
		}
	}
	return said.Close()
}

func (w *world) stop() {
	for _, stop := range w.stops {
		stop()
	}
}

// start starts the servers and connects. Whatever it says is dropped: what odi's
// streams have is searched.
func (w *world) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := writeScripts(w.dir); err != nil {
		return err
	}
	for role, addr := range map[string]*string{asHTTP: &w.http, asGRPC: &w.grpc} {
		if *addr, err = loopback.Free(); err != nil {
			return err
		}
		if _, err := w.keep(servers.Start(*addr, exec.Command(self, role, *addr))); err != nil {
			return err
		}
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	w.over2 = &http.Client{Transport: &http.Transport{Protocols: &protocols}, Timeout: 10 * time.Second}
	addr, stop, err := broker()
	if err != nil {
		return err
	}
	w.kafka, w.stops = addr, append(w.stops, stop)
	return w.startStores()
}

// keep has a server stopped at the end.
func (w *world) keep(s *servers.Server, err error) (*servers.Server, error) {
	if err == nil {
		w.stops = append(w.stops, s.Stop)
	}
	return s, err
}

func (w *world) startStores() error {
	ctx := context.Background()
	pg, err := w.keep(servers.Postgres(w.dir))
	if err != nil {
		return err
	}
	if w.postgres, err = pgx.Connect(ctx, "postgres://postgres@"+pg.Addr+"/postgres?sslmode=disable"); err != nil {
		return err
	}
	const table = "CREATE TABLE orders (id int, name text, card bigint)"
	if _, err := w.postgres.Exec(ctx, table); err != nil {
		return err
	}
	maria, err := w.keep(servers.MariaDB(w.dir))
	if err != nil {
		return err
	}
	w.mysqlDSN = "root@tcp(" + maria.Addr + ")/test?multiStatements=true&readTimeout=15s"
	if w.mysql, err = databasesql.Open("mysql", w.mysqlDSN); err != nil {
		return err
	}
	if _, err := w.mysql.ExecContext(ctx, table); err != nil {
		return err
	}
	if _, err := w.mysql.ExecContext(ctx, "SET GLOBAL local_infile = 1"); err != nil {
		return err
	}
	store, err := w.keep(servers.Redis(w.dir))
	if err != nil {
		return err
	}
	w.redis = redis.NewClient(&redis.Options{Addr: store.Addr})
	return w.redis.Ping(ctx).Err()
}
