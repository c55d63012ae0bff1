package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/odi-dev/odi/hack/cluster/apiserver"
	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/cluster/programs"
	"github.com/odi-dev/odi/hack/cluster/progress"
)

func runAPIServer(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: apiserver needs up or down", errUsage)
	}
	flags := flag.NewFlagSet("apiserver", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder of this API server")
	if err := flags.Parse(args[1:]); err != nil || *dir == "" || flags.NArg() > 0 {
		return fmt.Errorf("%w: apiserver %s --dir DIR", errUsage, args[0])
	}
	server, err := apiserver.In(*dir)
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return apiserverUp(ctx, server)
	case "down":
		return server.Down()
	}
	return fmt.Errorf("%w: unknown command apiserver %q", errUsage, args[0])
}

func apiserverUp(ctx context.Context, server apiserver.Server) error {
	store, err := cache.Default()
	if err != nil {
		return err
	}
	kubernetes, err := kubernetes()
	if err != nil {
		return err
	}
	steps := []progress.Step{
		building(kubernetes, store),
		{What: "starting etcd and the API server", Run: func(ctx context.Context) error {
			return server.Up(ctx, kubernetes.Dir(store))
		}},
	}
	if err := progress.Run(ctx, os.Stderr, steps); err != nil {
		return err
	}
	fmt.Println(server.Kubeconfig())
	return nil
}

func building(program programs.Program, store cache.Dir) progress.Step {
	return progress.Step{
		What: program.What(), About: program.About,
		Done: func() bool { return program.Built(store) },
		Run: func(ctx context.Context) error {
			_, err := program.Build(ctx, store)
			return err
		},
	}
}

func kubernetes() (programs.Program, error) {
	root, err := repository()
	if err != nil {
		return programs.Program{}, err
	}
	return programs.Kubernetes(root)
}

// repository finds the root of the clone from the working directory upwards.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "hack", "cluster", "kubernetes", "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("finding the repository: %s is not inside a clone of odi", dir)
		}
	}
}
