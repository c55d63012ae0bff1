// Command pooled opens a connection to PostgreSQL, says so, and asks when it is told to:
// by a statement that it has prepared (early), by one that it prepares then, under a name
// as long as pgx makes them (late), or by one that it has prepared so (cached); or over a
// connection that it opens only then (anew).
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

const times = 20

func main() {
	if err := ask(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(ctx context.Context, url, how string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // the last one
	if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, made timestamptz NOT NULL DEFAULT now())"); err != nil {
		return err
	}
	const statement = "INSERT INTO orders (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id, made = now()"
	name := statement
	switch how {
	case "early":
		name = "early"
		_, err = conn.Prepare(ctx, name, statement)
	case "cached":
		_, err = conn.Exec(ctx, statement, "secret")
	}
	if err != nil {
		return err
	}
	fmt.Println("connected")
	if !bufio.NewScanner(os.Stdin).Scan() {
		return nil
	}
	if how == "anew" {
		_ = conn.Close(ctx)
		if conn, err = pgx.Connect(ctx, url); err != nil {
			return err
		}
	}
	for i := range times {
		if _, err := conn.Exec(ctx, name, fmt.Sprint("secret", i)); err != nil {
			return err
		}
	}
	return nil
}
