package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	only := flag.String("kind", "", "run only these kinds, by number or name, with commas: "+strings.Join(kinds, ", "))
	short := flag.Bool("short", false, "leave out what takes minutes")
	list := flag.Bool("list", false, "print the cases and run none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := field(ctx, choice{only: *only, short: *short}, *list)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "field:", err)
		os.Exit(1)
	}
}

// choice says which cases are wanted.
type choice struct {
	only  string
	short bool
}

// field runs the chosen cases one after another.
func field(ctx context.Context, c choice, list bool) error {
	chosen, err := c.of(cases)
	if err != nil {
		return err
	}
	if list {
		for _, one := range chosen {
			fmt.Printf("%-*s  %-*s  %s\n", kindWidth, one.kindName(), caseWidth, one.proves, one.how())
		}
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("loading BPF programs needs root")
	}
	r := runner{out: os.Stdout, logs: "dist/field"}
	return r.all(ctx, chosen)
}

// of returns the chosen ones of all cases. It is an error when there is none.
func (c choice) of(all []fieldCase) ([]fieldCase, error) {
	wanted, err := numbers(c.only)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(one fieldCase) bool {
		return !slices.Contains(wanted, one.kind) || c.short && one.long
	})
	if len(chosen) == 0 {
		return nil, errors.New("no case is chosen")
	}
	return chosen, nil
}

// numbers reads kinds by number or name; none means all.
func numbers(only string) ([]int, error) {
	var found []int
	if only == "" {
		for n := range kinds {
			found = append(found, n)
		}
		return found, nil
	}
	for word := range strings.SplitSeq(only, ",") {
		word = strings.TrimSpace(word)
		n, err := strconv.Atoi(word)
		if err != nil {
			n = slices.Index(kinds, word)
		}
		if n < 0 || n >= len(kinds) {
			return nil, fmt.Errorf("-kind %s: none of 0 to %d, %s", word, len(kinds)-1, strings.Join(kinds, ", "))
		}
		found = append(found, n)
	}
	return found, nil
}
