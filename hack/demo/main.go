package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/odi-dev/odi/hack/demo/stage"
)

const usage = "usage: demo up | down"

var errUsage = errors.New(usage)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "demo:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	root, err := repository()
	if err != nil {
		return err
	}
	d := &demo{
		local:      stage.Local{Root: root, Out: os.Stderr},
		kubeconfig: os.Getenv("KUBECONFIG"),
		foreign:    os.Getenv("KUBECONFIG") != "",
		registry:   os.Getenv("ODI_REGISTRY"),
		out:        os.Stdout,
	}
	switch args[0] {
	case "up":
		return d.up(ctx)
	case "down":
		return d.down(ctx)
	default:
		return errUsage
	}
}

// repository finds the clone from the working directory upwards.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "hack", "demo", "images.yaml")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("finding the repository: %s is not inside a clone of odi", dir)
		}
	}
}
