//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/stage"
)

const ownersNamespace = "owners"

// checkOwners instruments a namespace in which no pod is a Deployment's: each is
// traced under the name of what made it, in all of its containers.
func (w *world) checkOwners(t *testing.T) {
	since := time.Now()
	t.Cleanup(func() { w.removeOwners(t) })
	w.applyOwners(t)
	missing := func(ctx context.Context) (bool, string) {
		for _, one := range []struct {
			service string
			want    map[string]string
		}{
			{"alone", map[string]string{"k8s.pod.name": "alone", "k8s.container.name": "init"}},
			{"alone", map[string]string{"k8s.pod.name": "alone", "k8s.container.name": "side"}},
			{"alone", map[string]string{"k8s.pod.name": "alone", "k8s.container.name": "app"}},
			{"lone-set", map[string]string{"k8s.replicaset.name": "lone-set"}},
			{"old", map[string]string{"k8s.replicationcontroller.name": "old"}},
			{"canary", map[string]string{"k8s.replicaset.name": "canary-6c5f"}},
			{"report", map[string]string{"k8s.cronjob.name": "report", "k8s.job.name": "by-hand"}},
			{"report-20251125", map[string]string{"k8s.job.name": "report-20251125", "k8s.cronjob.name": ""}},
		} {
			if found, err := w.hasSpan(ctx, since, one.service, one.want); err != nil || !found {
				return false, fmt.Sprintf("no span of service %s with %v (%v)", one.service, one.want, err)
			}
		}
		return true, ""
	}
	if err := stage.Eventually(t.Context(), 90*time.Second, 2*time.Second, missing); err != nil {
		said := w.tryOdi(t, w.cluster.Kubeconfig, "describe", "namespace/"+ownersNamespace)
		t.Fatalf("%v\n%s%s", err, said.stdout, said.stderr)
	}
	said := w.tryOdi(t, w.cluster.Kubeconfig, "describe", "namespace/"+ownersNamespace).stdout
	for _, word := range []string{
		"pod/alone", "replicaset/lone-set", "replicationcontroller/old", "configmap.core/canary", "cronjob/report", "job/report-20251125",
	} {
		if !strings.Contains(said, word) {
			t.Errorf("odi describe namespace/%s does not name %s:\n%s", ownersNamespace, word, said)
		}
	}
	ended := w.tryOdi(t, w.cluster.Kubeconfig, "describe", "job/report-20251125", "-n", ownersNamespace).stdout
	if !strings.Contains(ended, "The Job has finished") {
		t.Errorf("odi describe of a Job that is over:\n%s", ended)
	}
	covered := w.tryOdi(t, w.cluster.Kubeconfig, "describe", "job/by-hand", "-n", ownersNamespace)
	if covered.code != 2 || !strings.Contains(covered.stderr, "cronjob/report") {
		t.Errorf("odi describe of a CronJob's Job: exit %d, %s", covered.code, covered.stderr)
	}
}

// applyOwners instruments the namespace while it is empty of pods, then makes them.
func (w *world) applyOwners(t *testing.T) {
	t.Helper()
	w.apply(t, "testdata/owners.yaml")
	w.odi(t, "instrument", "namespace", ownersNamespace)
	canary := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ownersNamespace, Name: "canary"}}
	report := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: ownersNamespace, Name: "report"}}
	for _, owner := range []client.Object{canary, report} {
		if err := w.cluster.Get(t.Context(), client.ObjectKeyFromObject(owner), owner); err != nil {
			t.Fatal(err)
		}
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ownersNamespace, Name: "default"}}
	err := stage.Eventually(t.Context(), 30*time.Second, 100*time.Millisecond, func(ctx context.Context) (bool, string) {
		err := w.cluster.Get(ctx, client.ObjectKeyFromObject(account), account)
		return err == nil, fmt.Sprint("the namespace can hold no pods: ", err)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, "testdata/owned.yaml", "UID-OF-CANARY", string(canary.UID), "UID-OF-REPORT", string(report.UID))
}

func (w *world) apply(t *testing.T, file string, oldNew ...string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.Apply(t.Context(), []byte(strings.NewReplacer(oldNew...).Replace(string(content)))); err != nil {
		t.Fatal(err)
	}
}

// hasSpan says whether Jaeger has a span of a service whose resource has these attributes; "" means without it.
func (w *world) hasSpan(ctx context.Context, since time.Time, service string, want map[string]string) (bool, error) {
	traces, err := w.cluster.Jaeger().Traces(ctx, jaeger.Query{Service: service, From: since, To: time.Now()})
	if err != nil {
		return false, err
	}
	for _, one := range traces {
		for _, span := range one.Spans {
			fits := span.Service == service
			for key, value := range want {
				fits = fits && span.Resource[key] == value
			}
			if fits {
				return true, nil
			}
		}
	}
	return false, nil
}

func (w *world) removeOwners(t *testing.T) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ownersNamespace}}
	if err := client.IgnoreNotFound(w.cluster.Client.Delete(context.Background(), ns)); err != nil {
		t.Error(err)
	}
	err := stage.Eventually(context.Background(), time.Minute, time.Second, func(ctx context.Context) (bool, string) {
		gone, err := w.cluster.Gone(ctx, ns)
		return err == nil && gone, "the namespace is still there"
	})
	if err != nil {
		t.Error(err)
	}
}
