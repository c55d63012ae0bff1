package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/odi-dev/odi/hack/cluster/progress"
	"github.com/odi-dev/odi/hack/images/oci"
	"github.com/odi-dev/odi/hack/images/recipe"
)

// pushImages pushes images under tags that are hashes of what is in them: a
// node that has pulled one never runs an older one of the same name. Images of
// language agents keep their tags, which are the agents' versions: odi asks for these.
func pushImages(ctx context.Context, root string, recipes []recipe.Recipe, args []string) error {
	if len(args) == 0 || args[0] == "" {
		return errUsage
	}
	registry := strings.TrimSuffix(args[0], "/")
	chosen, builder, err := prepare(root, recipes, args[1:])
	if err != nil {
		return err
	}
	var steps []progress.Step
	for _, r := range chosen {
		steps = append(steps, progress.Step{What: "pushing " + r.ShortName(), About: r.FirstTime.Duration, First: true, Run: func(ctx context.Context) error {
			archive, err := builder.Archive(ctx, r)
			if err != nil {
				return err
			}
			reference := registry + "/" + r.ShortName() + ":" + tagOf(archive, r)
			if err := oci.Push(ctx, archive, reference); err != nil {
				return err
			}
			fmt.Println(strings.TrimPrefix(reference, "http://"))
			return nil
		}})
	}
	return progress.Run(ctx, os.Stderr, steps)
}

func tagOf(archive string, r recipe.Recipe) string {
	if strings.HasPrefix(r.ShortName(), "odi-agent-") {
		return r.Name[strings.LastIndexByte(r.Name, ':')+1:]
	}
	return hashOf(archive, r)
}

// hashOf reads the hash of an archive's inputs: <cache>/<short name>-<hash>/image.tar.
func hashOf(archive string, r recipe.Recipe) string {
	return strings.TrimPrefix(filepath.Base(filepath.Dir(archive)), r.ShortName()+"-")
}
