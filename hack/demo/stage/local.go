package stage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Local is the machine's own cluster and the clone that builds its images.
type Local struct {
	// Root is the folder of the clone.
	Root string
	// Env is added to the environment: it names the cluster.
	Env []string
	// Out gets what the tools say, indented below the step that runs them.
	Out io.Writer
}

// Up starts the cluster, or what of it does not run, and returns its kubeconfig.
func (l Local) Up(ctx context.Context) (string, error) {
	if _, err := l.tool(ctx, "cluster", "up"); err != nil {
		return "", fmt.Errorf("starting the local cluster: %w", err)
	}
	path, err := l.tool(ctx, "cluster", "kubeconfig")
	if err != nil {
		return "", fmt.Errorf("asking for the kubeconfig: %w", err)
	}
	return strings.TrimSpace(path), nil
}

// Down stops the cluster and removes all but the caches.
func (l Local) Down(ctx context.Context) error {
	if _, err := l.tool(ctx, "cluster", "down"); err != nil {
		return fmt.Errorf("stopping the local cluster: %w", err)
	}
	return nil
}

// Images builds all images, or takes them from the cache, and returns their archives.
func (l Local) Images(ctx context.Context) ([]string, error) {
	out, err := l.tool(ctx, "images", "build")
	if err != nil {
		return nil, fmt.Errorf("building the images: %w", err)
	}
	return strings.Fields(out), nil
}

// Load imports image archives into the cluster's node.
func (l Local) Load(ctx context.Context, archives []string) error {
	if _, err := l.tool(ctx, "cluster", append([]string{"load"}, archives...)...); err != nil {
		return fmt.Errorf("loading the images: %w", err)
	}
	return nil
}

// tool runs one of the clone's tools: what it prints on stdout is its answer,
// what it prints on stderr is for the person who waits.
func (l Local) tool(ctx context.Context, tool string, args ...string) (string, error) {
	return Run(ctx, Command{
		Dir: l.Root, Env: l.Env, Progress: l.Out, Args: append([]string{filepath.Join(l.Root, "hack", "run.sh"), tool}, args...),
	})
}

// Command is a program to run.
type Command struct {
	Dir  string
	Env  []string
	Args []string
	// Stdin is given to the program; nil means empty.
	Stdin io.Reader
	// Progress gets what the program prints on stderr, indented; nil keeps it for the error.
	Progress io.Writer
}

// Run runs a command to its end and returns its stdout. The error of a
// command that fails has the last lines of what it said.
func Run(ctx context.Context, c Command) (string, error) {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Stdin = c.Dir, c.Stdin
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stdout, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &said
	if c.Progress != nil {
		cmd.Stderr = io.MultiWriter(&said, &indenter{to: c.Progress})
	}
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	return stdout.String(), fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, lastLines(said.String()+stdout.String(), 12))
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// indenter writes every line below its step.
type indenter struct {
	to      io.Writer
	midLine bool
}

const indent = "      "

func (w *indenter) Write(p []byte) (int, error) {
	for _, line := range bytes.SplitAfter(p, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if !w.midLine {
			if _, err := io.WriteString(w.to, indent); err != nil {
				return 0, err
			}
		}
		if _, err := w.to.Write(line); err != nil {
			return 0, err
		}
		w.midLine = line[len(line)-1] != '\n'
	}
	return len(p), nil
}
