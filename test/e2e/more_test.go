//go:build e2e

package e2e

import (
	"context"
	"embed"
	"io/fs"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// deployMore adds services that no checkout asks, until the test ends, and waits until requests
// below path are answered.
func (w *world) deployMore(t *testing.T, manifests embed.FS, pattern, path string) {
	t.Helper()
	t.Cleanup(func() { w.takeAway(t, manifests, pattern) })
	if err := w.cluster.ApplyAll(t.Context(), manifests); err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.WaitReady(t.Context(), shop.Namespace, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	w.waitAnswers(t, path)
}

func (w *world) takeAway(t *testing.T, manifests embed.FS, pattern string) {
	files, err := fs.Glob(manifests, pattern)
	if err != nil || len(files) == 0 {
		t.Errorf("%d files are like %s: %v", len(files), pattern, err)
	}
	for _, file := range files {
		manifest, err := manifests.ReadFile(file)
		if err == nil {
			err = w.cluster.Delete(context.WithoutCancel(t.Context()), manifest)
		}
		if err != nil {
			t.Errorf("taking %s away: %v", file, err)
		}
	}
}

// waitAnswers waits until a row of requests below path is answered.
func (w *world) waitAnswers(t *testing.T, path string) {
	t.Helper()
	err := stage.Eventually(t.Context(), time.Minute, time.Second, func(ctx context.Context) (bool, string) {
		s, err := w.tryDrive(ctx, traffic.Load{Path: path, Requests: 100, Concurrency: 10})
		if err != nil {
			return false, err.Error()
		}
		summary := traffic.Summarise(s.results)
		return summary.Failed == 0, summary.String()
	})
	if err != nil {
		t.Fatalf("waiting for answers below %s: %v", path, err)
	}
}
