// Command images builds odi's images and the demo's, without a daemon.
//
//	images list
//	images build [NAME...]                                     archives in the cache; prints their paths
//	images build --layout DIR [--platforms P,P...] [NAME...]   an OCI layout, to publish
//	images push REGISTRY [NAME...]                             builds, pushes to REGISTRY/<short name>:<hash> (agents: <version>); prints that
//
// A name is as in the recipes, with or without registry and tag; no name means all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/cluster/progress"
	"github.com/odi-dev/odi/hack/images/build"
	"github.com/odi-dev/odi/hack/images/recipe"
)

// recipeFiles are where recipes are, relative to the clone.
var recipeFiles = []string{"hack/images/images.yaml", "hack/demo/images.yaml"}

// errUsage is a mistake in how the tool was called.
var errUsage = errors.New("usage: images list | images build [--layout DIR [--platforms linux/amd64,linux/arm64]] [NAME...] | images push REGISTRY [NAME...]")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "images:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	root, err := repository()
	if err != nil {
		return err
	}
	recipes, err := load(root)
	if err != nil {
		return err
	}
	switch args[0] {
	case "list":
		for _, r := range recipes {
			fmt.Println(r.Name)
		}
		return nil
	case "build":
		return buildImages(ctx, root, recipes, args[1:])
	case "push":
		return pushImages(ctx, root, recipes, args[1:])
	}
	return fmt.Errorf("unknown command %q: %w", args[0], errUsage)
}

func buildImages(ctx context.Context, root string, recipes []recipe.Recipe, args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	layout := flags.String("layout", "", "folder of an OCI layout to write")
	platforms := flags.String("platforms", "linux/"+runtime.GOARCH, "platforms of the layout")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	chosen, builder, err := prepare(root, recipes, flags.Args())
	if err != nil {
		return err
	}
	architectures, err := architectures(*platforms)
	if err != nil {
		return err
	}
	var steps []progress.Step
	for _, r := range chosen {
		steps = append(steps, progress.Step{What: "building the image " + r.Name, About: r.FirstTime.Duration, First: true, Run: func(ctx context.Context) error {
			if *layout != "" {
				return builder.Layout(ctx, r, *layout, architectures)
			}
			archive, err := builder.Archive(ctx, r)
			if err == nil {
				fmt.Println(archive)
			}
			return err
		}})
	}
	return progress.Run(ctx, os.Stderr, steps)
}

func load(root string) ([]recipe.Recipe, error) {
	var all []recipe.Recipe
	for _, file := range recipeFiles {
		recipes, err := recipe.Load(filepath.Join(root, file))
		if err != nil {
			return nil, err
		}
		all = append(all, recipes...)
	}
	return all, nil
}

// prepare finds the recipes of names and what builds them.
func prepare(root string, recipes []recipe.Recipe, names []string) ([]recipe.Recipe, build.Builder, error) {
	chosen, err := choose(recipes, names)
	if err != nil {
		return nil, build.Builder{}, err
	}
	store, err := cache.Default()
	return chosen, build.Builder{Root: root, Cache: store}, err
}

// choose finds the recipes of names; no name chooses all.
func choose(recipes []recipe.Recipe, names []string) ([]recipe.Recipe, error) {
	if len(names) == 0 {
		return recipes, nil
	}
	byName := map[string]recipe.Recipe{}
	var valid []string
	for _, r := range recipes {
		byName[r.Name], byName[r.ShortName()] = r, r
		valid = append(valid, r.ShortName())
	}
	var chosen []recipe.Recipe
	for _, name := range names {
		r, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("no recipe for %q; there are %s: %w", name, strings.Join(valid, ", "), errUsage)
		}
		chosen = append(chosen, r)
	}
	return chosen, nil
}

func architectures(platforms string) ([]string, error) {
	var all []string
	for platform := range strings.SplitSeq(platforms, ",") {
		architecture, ok := strings.CutPrefix(platform, "linux/")
		if !ok || architecture == "" {
			return nil, fmt.Errorf("platform %q: want linux/<architecture>: %w", platform, errUsage)
		}
		all = append(all, architecture)
	}
	return all, nil
}

// repository finds the root of the clone from the working directory upwards.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, recipeFiles[0])); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("finding the repository: %s is not inside a clone of odi", dir)
		}
	}
}
