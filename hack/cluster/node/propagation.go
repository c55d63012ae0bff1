package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ShareMounts makes this machine's mounts propagate, as systemd does at boot.
// Without systemd they do not, and containers that ask to see later mounts of
// the host are refused.
func ShareMounts(ctx context.Context) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("listing mounts: %w", err)
	}
	if rootIsShared(string(info)) {
		return nil
	}
	if err := os.WriteFile(sharedMark, nil, 0o644); err != nil {
		return fmt.Errorf("remembering that mounts were private: %w", err)
	}
	return run(ctx, "mount", "--make-rshared", "/")
}

// unshareMounts undoes ShareMounts.
func unshareMounts(ctx context.Context) error {
	if _, err := os.Stat(sharedMark); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := run(ctx, "mount", "--make-rprivate", "/"); err != nil {
		return err
	}
	return os.Remove(sharedMark)
}

// sharedMark is there while mounts are shared only because of clusters; it is
// gone after a boot, as they are.
const sharedMark = "/run/odi.mounts-were-private"

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
