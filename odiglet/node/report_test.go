package node

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
)

// TestAReportOfAnyTextIsWrittenOnce has texts that an encoder changes when they
// are cut anywhere: what is read back must be what was wanted.
func TestAReportOfAnyTextIsWrittenOnce(t *testing.T) {
	config := testkit.APIServer(t)
	c := testkit.Client(t, config)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	if err := c.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"umlauts":         strings.Repeat("ä", 600),
		"umlauts, odd":    "a" + strings.Repeat("ä", 600),
		"four bytes":      "ab" + strings.Repeat("\U0001F600", 300),
		"what is no text": "exe /tmp/caf\xe9 " + strings.Repeat("\xff", 600),
		"NUL":             "a\x00b",
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster("n1", func() {})
			cluster.setPod(readPod(cartPod()))
			cluster.setWorkload(cart, decided{})
			hostile := instance(1, "c1", false, language.Runtime{Language: language.Go, Version: text})
			hostile.Error = text
			r := newReporter(c, "n1", slog.New(slog.DiscardHandler), func() odiv1.NodeInstrumentationStatus {
				facts, truncated := cluster.facts([]attach.Instance{hostile}, time.Now())
				features := []probe.Feature{{Name: probe.SocketSpans, State: probe.Unavailable, Reason: text}}
				return status(text, features, []attach.Instance{hostile}, facts, truncated)
			})
			if _, err := r.write(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			first, err := r.find(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			second, err := r.write(t.Context(), nil) // As a new process would.
			if err != nil {
				t.Fatal(err)
			}
			if first.ResourceVersion != second.ResourceVersion {
				t.Errorf("it was written again: version %s became %s", first.ResourceVersion, second.ResourceVersion)
			}
			if len(first.Status.Containers) != 1 || first.Status.Containers[0].Error == "" {
				t.Errorf("nothing was reported: %+v", first.Status)
			}
		})
	}
}

// TestTheEndFitsIntoThePodsTime compares how long the end may take with what the chart gives the pod.
func TestTheEndFitsIntoThePodsTime(t *testing.T) {
	manifests, err := os.ReadFile("../../charts/testdata/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(manifests), "\n---\n") {
		var d appsv1.DaemonSet
		if err := yaml.Unmarshal([]byte(document), &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind != "DaemonSet" || d.Name != "odiglet" {
			continue
		}
		grace := time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
		if closing < 15*time.Second || closing+farewell+5*time.Second > grace {
			t.Errorf("the last data has %s to go out, the pod has %s", closing, grace)
		}
		return
	}
	t.Fatal("the chart has no odiglet")
}
