package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/odi-dev/odi/hack/cluster/layout"
)

// WaitContainerd waits until containerd answers.
func WaitContainerd(ctx context.Context, c layout.Cluster, b Binaries, running func() error) error {
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := ctr(limited, c, b, "version")
		if err == nil {
			return nil
		}
		if dead := running(); dead != nil {
			return dead
		}
		if limited.Err() != nil {
			return fmt.Errorf("waiting for containerd: %w", errors.Join(limited.Err(), err))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Load imports an image archive into the node, for all pods.
func Load(ctx context.Context, c layout.Cluster, b Binaries, archive string) error {
	absolute, err := filepath.Abs(archive)
	if err != nil {
		return fmt.Errorf("finding %s: %w", archive, err)
	}
	if _, err := os.Stat(absolute); err != nil {
		return fmt.Errorf("loading an image: %w", err)
	}
	return ctr(ctx, c, b, "--namespace", "k8s.io", "images", "import", absolute)
}

func ctr(ctx context.Context, c layout.Cluster, b Binaries, args ...string) error {
	return run(ctx, filepath.Join(b.Containerd, "ctr"), append([]string{"--address", c.ContainerdSocket()}, args...)...)
}
