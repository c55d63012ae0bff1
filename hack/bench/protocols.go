package main

import (
	"context"
	databasesql "database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/hack/servers"
)

// protocol is a server and a client of one, and what tracing either may cost.
type protocol struct {
	name, what string
	start      func(dir string) (*listening, error)
	// server and client are the bounds of the issue in us of CPU added to an operation; 0: none.
	server, client float64
	// unseen says that odi does not see this side.
	unseenServer bool
}

// listening is a server that runs, by itself or within this binary.
type listening struct {
	addr string
	pid  int
	stop func()
}

func protocols() []protocol {
	return []protocol{
		{name: "http", what: "HTTP/1.1, `net/http`", start: ofThisBinary("server"), server: 2},
		{name: "nginx", what: "HTTP/1.1, nginx", start: outside(servers.Nginx), server: 2},
		{name: "grpc", what: "a unary call, grpc-go", start: ofThisBinary("grpc-server"), server: 4, client: 4},
		{name: "postgres", what: "a query, PostgreSQL and pgx", start: withTable(servers.Postgres, "pgx"), server: 2, client: 2},
		{name: "mysql", what: "a query, MariaDB and go-sql-driver", start: withTable(servers.MariaDB, "mysql")},
		{name: "redis", what: "`GET`, Redis and go-redis", start: outside(servers.Redis), server: 1},
		{name: "kafka", what: "a record sent, franz-go (to kfake)", start: ofThisBinary("kafka-server"), unseenServer: true},
	}
}

func ofThisBinary(role string) func(string) (*listening, error) {
	return func(string) (*listening, error) {
		p, addr, err := spawn(role, "0", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return &listening{addr, p.pid(), p.stop}, nil
	}
}

func outside(start func(string) (*servers.Server, error)) func(string) (*listening, error) {
	return func(dir string) (*listening, error) {
		s, err := start(dir)
		if err != nil {
			return nil, err
		}
		pinTree(s.PID(), 0)
		return &listening{s.Addr, s.PID(), s.Stop}, nil
	}
}

// withTable also makes the table that is asked for.
func withTable(start func(string) (*servers.Server, error), driver string) func(string) (*listening, error) {
	return func(dir string) (*listening, error) {
		l, err := outside(start)(dir)
		if err != nil {
			return nil, err
		}
		if err := makeTable(driver, l.addr); err != nil {
			l.stop()
			return nil, err
		}
		return l, nil
	}
}

func makeTable(driver, addr string) error {
	ctx := context.Background()
	const create, fill = "CREATE TABLE orders (id int PRIMARY KEY)", "INSERT INTO orders VALUES (7)"
	if driver == "mysql" {
		db, err := databasesql.Open("mysql", "root@tcp("+addr+")/test")
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, create)
		if err == nil {
			_, err = db.ExecContext(ctx, fill)
		}
		return errors.Join(err, db.Close())
	}
	conn, err := pgx.Connect(ctx, "postgres://postgres@"+addr+"/postgres?sslmode=disable")
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, create+"; "+fill)
	return errors.Join(err, conn.Close(ctx))
}

// tree are a process and its descendants.
func tree(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, tree(child)...)
			}
		}
	}
	return all
}

// pinTree moves a process and its descendants to one core; those to come inherit it.
func pinTree(pid, core int) {
	var set unix.CPUSet
	set.Set(core)
	for _, p := range tree(pid) {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p))
		if err != nil {
			continue // ended
		}
		for _, task := range tasks {
			if tid, err := strconv.Atoi(task.Name()); err == nil {
				_ = unix.SchedSetaffinity(tid, &set) // it may have ended
			}
		}
	}
}

func treeCPU(pid int) (sum time.Duration, err error) {
	for _, p := range tree(pid) {
		used, err := cpu(p)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// protocolStep measures one protocol.
func (b *bench) protocolStep(p protocol) func() error {
	return func() (err error) {
		dir, err := os.MkdirTemp("", "odi-bench")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if err := os.Chmod(dir, 0o711); err != nil { // databases have accounts of their own
			return err
		}
		l, err := p.start(dir)
		if err != nil {
			return err
		}
		defer l.stop()
		client, _, err := spawn("ask-"+p.name, "1", l.addr)
		if err != nil {
			return err
		}
		defer client.stop()
		return b.measureProtocol(p, talking{l.pid, client})
	}
}
