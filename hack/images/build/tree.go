package build

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/odi-dev/odi/hack/cluster/cache"
)

// addTree adds the files of the folder that a script fills.
func (b Builder) addTree(ctx context.Context, p parts, script, to string) error {
	dir, err := b.Tree(ctx, script)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("adding what %s made: %s is neither a file nor a folder", script, at)
		}
		name, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		p.files[path.Join(to, filepath.ToSlash(name))] = at
		return nil
	})
}

// Tree returns the folder that a script of the clone fills, from the cache if the script's folder
// is as it was. The folder is in the cache: read it, and write nothing there.
func (b Builder) Tree(ctx context.Context, script string) (string, error) {
	folder := filepath.Dir(filepath.Join(b.Root, script))
	inputs, err := treeInputs(folder)
	if err != nil {
		return "", err
	}
	key := cache.Key(append([]string{format, script}, inputs...)...)
	dir, err := b.Cache.Make("trees/"+filepath.Base(folder), key, func(dir string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(b.Root, script), dir)
		cmd.Dir = folder
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr // Our own output is the images' paths.
		return cmd.Run()
	})
	if err != nil {
		return "", fmt.Errorf("filling a folder with %s: %w", script, err)
	}
	return dir, nil
}

// treeInputs hashes what a script may read: its folder but for tests, hidden folders and __pycache__.
func treeInputs(folder string) ([]string, error) {
	files, err := treeFiles(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of a script: %w", err)
	}
	var inputs []string
	for _, name := range files {
		input, err := cache.Files(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		inputs = append(append(inputs, name), input...)
	}
	return inputs, nil
}

func treeFiles(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		ignored := name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "__")
		switch {
		case entry.IsDir() && ignored && at != folder:
			return fs.SkipDir
		case !entry.IsDir() && !strings.HasSuffix(name, "_test.go"):
			name, err := filepath.Rel(folder, at)
			files = append(files, name)
			return err
		}
		return nil
	})
	return files, err
}
