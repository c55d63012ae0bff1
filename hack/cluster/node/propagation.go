package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/odi-dev/odi/hack/cluster/layout"
)

// ShareMounts makes this machine's mounts propagate, as systemd does at boot.
// Without systemd they do not, and containers that ask to see later mounts of
// the host are refused.
func ShareMounts(ctx context.Context, c layout.Cluster) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("listing mounts: %w", err)
	}
	if rootIsShared(string(info)) {
		return nil
	}
	if err := os.WriteFile(sharedMark(c), nil, 0o644); err != nil {
		return fmt.Errorf("remembering that mounts were private: %w", err)
	}
	return run(ctx, "mount", "--make-rshared", "/")
}

// unshareMounts undoes ShareMounts, unless another cluster came to rely on it.
func unshareMounts(ctx context.Context, c layout.Cluster) error {
	_, err := os.Stat(sharedMark(c))
	if errors.Is(err, os.ErrNotExist) || others(c) {
		return nil
	}
	return run(ctx, "mount", "--make-rprivate", "/")
}

func sharedMark(c layout.Cluster) string { return c.Path("mounts-were-private") }

// rootIsShared looks for the root's entry: its optional fields, from the
// seventh up to a dash, name its peer group if it has one.
func rootIsShared(mountinfo string) bool {
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 7 || fields[4] != "/" {
			continue
		}
		for _, field := range fields[6:] {
			if field == "-" {
				break
			}
			if strings.HasPrefix(field, "shared:") {
				return true
			}
		}
	}
	return false
}
