package cli_test

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/odi-dev/odi/cli"
	"github.com/odi-dev/odi/cli/streams"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"odi": func() { os.Exit(cli.Run(context.Background(), streams.Standard(), os.Args[1:])) },
	})
}

// TestScripts runs testdata/script/*.txtar: what needs no cluster. Each script's first line says what it shows.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			// No script may find a developer's cluster.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("KUBECONFIG", env.WorkDir+"/no-kubeconfig")
			return nil
		},
	})
}
