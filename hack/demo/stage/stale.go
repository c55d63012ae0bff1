package stage

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// RestartStale deletes the pods of some namespaces that are older than the
// archive of an image that they run, so that a cluster that is reused runs
// what was built last: the tag of a rebuilt image is the same.
func (c *Cluster) RestartStale(ctx context.Context, archives []string, namespaces ...string) error {
	built, err := buildTimes(archives)
	if err != nil {
		return err
	}
	for _, namespace := range namespaces {
		pods, err := c.Pods(ctx, namespace)
		if err != nil {
			return err
		}
		for _, p := range pods {
			if !stale(p, built) {
				continue
			}
			if err := client.IgnoreNotFound(c.Client.Delete(ctx, &p)); err != nil {
				return fmt.Errorf("deleting pod %s/%s, which runs an older image: %w", namespace, p.Name, err)
			}
		}
	}
	return nil
}

// buildTimes maps the last element of an image's name to when its archive was
// made. Archives are named <cache>/<image>-<hash>/image.tar.
func buildTimes(archives []string) (map[string]time.Time, error) {
	built := map[string]time.Time{}
	for _, archive := range archives {
		info, err := os.Stat(archive)
		if err != nil {
			return nil, fmt.Errorf("looking at an image: %w", err)
		}
		name := filepath.Base(filepath.Dir(archive))
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			built[name[:i]] = info.ModTime()
		}
	}
	return built, nil
}

func stale(p corev1.Pod, built map[string]time.Time) bool {
	for _, container := range p.Spec.Containers {
		name, _, _ := strings.Cut(path.Base(container.Image), ":")
		if at, ok := built[name]; ok && p.CreationTimestamp.Time.Before(at) {
			return true
		}
	}
	return false
}
