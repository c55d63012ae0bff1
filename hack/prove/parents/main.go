package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// level is how many clients ask at once, and how often they ask together.
type level struct{ clients, requests int }

var levels = []level{{1, 200}, {10, 500}, {100, 1000}}

type flags struct {
	odi, cache, apps, only, update string
}

func main() {
	var f flags
	flag.StringVar(&f.odi, "odi", "bin/odi", "the odi binary to prove")
	flag.StringVar(&f.cache, "cache", defaultCache(), "where the applications are built")
	flag.StringVar(&f.apps, "apps", "hack/prove/parents/apps", "the applications' sources")
	flag.StringVar(&f.only, "only", "", "prove only the runtimes whose name has one of these words, by comma")
	flag.StringVar(&f.update, "update", "", "write the table into this document")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "prove-parents:", err)
		os.Exit(1)
	}
}

func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "odi", "prove")
}

func run(ctx context.Context, f flags) error {
	if os.Geteuid() != 0 {
		return errors.New("loading BPF programs needs root")
	}
	p, err := newPlace(f)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(runtimes), func(r subject) bool { return !selected(r.name, f.only) })
	if len(chosen) == 0 {
		return fmt.Errorf("-only %s: nothing is called so", f.only)
	}
	if err := p.install(ctx, chosen); err != nil {
		return err
	}
	rows, err := p.proveAll(ctx, chosen)
	if err != nil {
		return err
	}
	if f.update != "" {
		if err := update(f.update, rows); err != nil {
			return err
		}
	}
	return conclude(rows)
}

// proveAll prints each row as it comes.
func (p place) proveAll(ctx context.Context, programs []subject) ([]row, error) {
	var rows []row
	for _, r := range programs {
		line, err := p.prove(ctx, r, levels)
		if err != nil {
			return nil, fmt.Errorf("proving %s: %w", r.name, err)
		}
		fmt.Println(line)
		rows = append(rows, line)
	}
	return rows, nil
}

func conclude(rows []row) error {
	wrong, lost := 0, 0
	for _, r := range rows {
		wrong += r.wrong()
		lost += r.lost
	}
	fmt.Printf("wrong parents %d, requests without a span %d\n", wrong, lost)
	if wrong+lost > 0 {
		return fmt.Errorf("%d client spans have a parent that is not theirs, %d requests have no span", wrong, lost)
	}
	return nil
}

func selected(name, only string) bool {
	words := strings.Split(strings.ToLower(only), ",")
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(name), w) })
}

// prove runs one program anew for each level.
func (p place) prove(ctx context.Context, r subject, levels []level) (row, error) {
	line := row{name: r.name}
	for _, l := range levels {
		if err := ctx.Err(); err != nil {
			return line, err
		}
		spans, err := p.trace(ctx, r, l)
		if err != nil {
			return line, fmt.Errorf("with %d clients: %w", l.clients, err)
		}
		v := judge(spans)
		if v.asked < l.requests {
			fmt.Fprintf(os.Stderr, "lost: %s: with %d clients only %d of %d requests to the backend were seen\n", r.name, l.clients, v.asked, l.requests)
			line.lost += l.requests - v.asked
		}
		for _, w := range v.wrong[:min(5, len(v.wrong))] {
			fmt.Fprintln(os.Stderr, "wrong:", r.name+":", w)
		}
		line.levels = append(line.levels, v)
		line.how = cmp.Or(line.how, v.how)
	}
	return line, nil
}
