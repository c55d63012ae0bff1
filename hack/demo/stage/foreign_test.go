package stage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func namespace(name string, labels map[string]string) client.Object {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

func TestForeignClusterKeepsWhatIsNotTheDemos(t *testing.T) {
	mine := map[string]string{ownerLabel: owner}
	tests := map[string]struct {
		there []client.Object
		// refused are words of why; empty when the cluster is claimed.
		refused string
		// left are the namespaces after the demo has gone.
		left []string
	}{
		"an empty cluster":       {there: []client.Object{namespace("default", nil)}, left: []string{"default"}},
		"a second run":           {there: []client.Object{namespace("traffic", mine), namespace("shop", mine), namespace(System, nil)}, left: []string{System}},
		"a namespace in the way": {there: []client.Object{namespace("observability", nil)}, refused: "observability", left: []string{"observability"}},
		"an odi of the user's":   {there: []client.Object{namespace(System, nil)}, refused: "odi uninstall", left: []string{System}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := &Cluster{Client: fake.NewClientBuilder().WithObjects(tc.there...).Build()}
			err := c.Claim(t.Context())
			if tc.refused == "" && err != nil || tc.refused != "" && (err == nil || !strings.Contains(err.Error(), tc.refused)) {
				t.Errorf("claiming: %v, want %q", err, tc.refused)
			}
			if claimed, err := c.Claimed(t.Context()); err != nil || claimed != (tc.refused == "") {
				t.Errorf("claimed: %t, %v", claimed, err)
			}
			if err := c.Leave(t.Context()); err != nil {
				t.Fatal(err)
			}
			var list corev1.NamespaceList
			if err := c.List(t.Context(), &list); err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, ns := range list.Items {
				left = append(left, ns.Name)
			}
			if diff := cmp.Diff(tc.left, left); diff != "" {
				t.Errorf("namespaces afterwards (-want +got):\n%s", diff)
			}
		})
	}
}

func TestImagesOfARegistry(t *testing.T) {
	images := Images{
		"nginx": "localhost:5000/x/nginx:1a", "odi": "localhost:5000/x/odi:2b", "odi-collector": "localhost:5000/x/odi-collector:3c",
		"odi-agent-java": "localhost:5000/x/odi-agent-java:1.2.3-odi.1",
	}
	manifest := "a:\n  - image: odi-demo/nginx:dev\n  - image: odi-demo/other:dev\n"
	want := "a:\n  - image: localhost:5000/x/nginx:1a\n  - image: odi-demo/other:dev\n"
	if got := string(images.in([]byte(manifest))); got != want {
		t.Errorf("manifest:\n%s", got)
	}
	flags := []string{
		"--set", "image.repository=localhost:5000/x/odi", "--set", "image.tag=2b",
		"--set", "collectorImage.repository=localhost:5000/x/odi-collector", "--set", "collectorImage.tag=3c",
		"--set", "agents.repository=localhost:5000/x",
	}
	if diff := cmp.Diff(flags, images.InstallFlags()); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	values := map[string]any{
		"image":          map[string]any{"repository": "localhost:5000/x/odi", "tag": "2b"},
		"collectorImage": map[string]any{"repository": "localhost:5000/x/odi-collector", "tag": "3c"},
		"agents":         map[string]any{"repository": "localhost:5000/x"},
	}
	if diff := cmp.Diff(values, images.InstallValues()); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if got := (Images)(nil).InstallFlags(); got != nil {
		t.Errorf("flags without a registry: %v", got)
	}
}

func TestUnpulledSaysWhatToDo(t *testing.T) {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "nginx-1"}}
	if err := unpulled([]corev1.Pod{pod}); err != nil {
		t.Error(err)
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such host"}}}}
	err := unpulled([]corev1.Pod{pod})
	if err == nil || !strings.Contains(err.Error(), "ODI_REGISTRY") || !strings.Contains(err.Error(), "shop/nginx-1: no such host") {
		t.Errorf("got %v", err)
	}
}
