package stage

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

func TestManifestsNameWhatTheyPutWhere(t *testing.T) {
	var got []string
	list := func(o *unstructured.Unstructured) error {
		if strings.HasPrefix(o.GetKind(), "Deployment") || o.GetKind() == "Namespace" {
			got = append(got, o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName())
		}
		return nil
	}
	for _, manifest := range [][]byte{jaeger.Manifest, traffic.Manifest} {
		if err := eachObject(manifest, list); err != nil {
			t.Fatal(err)
		}
	}
	for _, manifests := range shop.Everything {
		if err := each(manifests, func(manifest []byte) error { return eachObject(manifest, list) }); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"Namespace /observability", "Deployment observability/jaeger",
		"Namespace /traffic", "Deployment traffic/driver",
		"Namespace /shop", "Deployment shop/catalogue", "Deployment shop/frontend", "Deployment shop/inventory",
		"Deployment shop/nginx", "Deployment shop/pricing", "Deployment shop/recommender",
		"Deployment shop/ratings", "Deployment shop/reviews",
		"Deployment shop/orders", "Deployment shop/postgres", "Deployment shop/redis", "Deployment shop/stock",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestEventuallySaysWhyNot(t *testing.T) {
	err := Eventually(t.Context(), 50*time.Millisecond, 5*time.Millisecond, func(context.Context) (bool, string) {
		return false, "2 of 3 ready"
	})
	if err == nil || !strings.Contains(err.Error(), "2 of 3 ready") {
		t.Errorf("want the last reason, got %v", err)
	}
}

func TestRunShowsProgressBelowItsStepAndKeepsTheAnswer(t *testing.T) {
	var shown bytes.Buffer
	got, err := Run(t.Context(), Command{Args: []string{"sh", "-c", "echo one >&2; echo two >&2; echo answer"}, Progress: &shown})
	if err != nil {
		t.Fatal(err)
	}
	if got != "answer\n" {
		t.Errorf("stdout: got %q", got)
	}
	if want := "      one\n      two\n"; shown.String() != want {
		t.Errorf("progress: got %q, want %q", shown.String(), want)
	}
}

func TestRunTellsWhatTheCommandSaid(t *testing.T) {
	_, err := Run(t.Context(), Command{Args: []string{"sh", "-c", "echo port taken >&2; exit 3"}})
	if err == nil || !strings.Contains(err.Error(), "port taken") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("want the command's own words and its status, got %v", err)
	}
}

func TestStale(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "odi-collector-0a1b2c", "image.tar")
	if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	built, err := buildTimes([]string{archive})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		image string
		age   time.Duration
		want  bool
	}{
		"older than its image":       {image: "ghcr.io/odi-dev/odi-collector:0.1.0", age: time.Hour, want: true},
		"newer than its image":       {image: "ghcr.io/odi-dev/odi-collector:0.1.0", age: -time.Hour},
		"of an image not built here": {image: "ghcr.io/odi-dev/odi:0.1.0", age: time.Hour},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: tc.image}}}}
			p.CreationTimestamp = metav1.NewTime(time.Now().Add(-tc.age))
			if got := stale(p, built); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}
