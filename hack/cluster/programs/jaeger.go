package programs

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Jaeger is the tracing backend of the demo and of the end-to-end tests.
//
// It is built inside a copy of its own module: with its dependencies in another
// module's graph, checksums are missing. Its web interface is a placeholder in
// the module; the query API is whole.
func Jaeger() Program {
	const module = "github.com/jaegertracing/jaeger"
	return Program{
		Name: "jaeger", Version: jaegerVersion, About: 5 * time.Minute, inputs: []string{module},
		build: func(ctx context.Context, dir string) error {
			source, err := download(ctx, module+"@"+jaegerVersion)
			if err != nil {
				return err
			}
			work, err := os.MkdirTemp("", "odi-jaeger-")
			if err != nil {
				return fmt.Errorf("making a folder to build in: %w", err)
			}
			defer func() { _ = os.RemoveAll(work) }() // A temporary folder: the system removes what is left.
			if err := os.CopyFS(work, os.DirFS(source)); err != nil {
				return fmt.Errorf("copying the module: %w", err)
			}
			return run(ctx, work, nil, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "jaeger"), "./cmd/jaeger")
		},
	}
}

// download brings a module into the module cache and returns its folder.
func download(ctx context.Context, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // Outside of any module.
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("downloading %s: %w\n%s", module, err, output)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(output, &downloaded); err != nil {
		return "", fmt.Errorf("downloading %s: %w", module, err)
	}
	return downloaded.Dir, nil
}
