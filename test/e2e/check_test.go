//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/hack/demo/stage"
)

// onNode are checks that only a pod on the node can say anything of, and that hold wherever the story runs.
var onNode = []string{"ODI-610", "ODI-611", "ODI-612", "ODI-616", "ODI-623", "ODI-624"}

// checkBefore looks at the cluster as odi install will find it. Nothing fatal may be said, and nothing may be left.
func (w *world) checkBefore(t *testing.T) {
	line := append([]string{"check", "--pre", "--timeout", "60s", "-o", "json"}, w.cluster.Images.InstallFlags()...)
	w.expectWell(t, w.report(t, line...), checks.Before, append(slices.Clone(onNode), "ODI-502", "ODI-602", "ODI-613")...)
	err := stage.Eventually(t.Context(), 60*time.Second, time.Second, func(ctx context.Context) (bool, string) {
		err := w.cluster.Get(ctx, client.ObjectKey{Name: "odi-check"}, &corev1.Namespace{})
		return apierrors.IsNotFound(err), "the namespace odi-check is still there"
	})
	if err != nil {
		t.Error(err)
	}
}

// checkAfter looks at odi at work: every component and destination is well, in the words of what runs.
func (w *world) checkAfter(t *testing.T) {
	w.expectWell(t, w.report(t, "check", "--timeout", "30s", "-o", "json"), checks.After,
		append(slices.Clone(onNode), "ODI-701", "ODI-702", "ODI-703", "ODI-704", "ODI-706", "ODI-707", "ODI-801", "ODI-802", "ODI-804", "ODI-807")...)
	var jobs batchv1.JobList
	err := stage.Eventually(t.Context(), 30*time.Second, time.Second, func(ctx context.Context) (bool, string) {
		err := w.cluster.List(ctx, &jobs, client.InNamespace("odi-system"))
		return err == nil && len(jobs.Items) == 0, "Jobs of odi check are left"
	})
	if err != nil {
		t.Error(err)
	}
}

// checkDiagnose looks for what only a running odi has: logs, metrics, and the word of each odiglet.
func (w *world) checkDiagnose(t *testing.T) {
	begin := time.Now()
	answer := w.odi(t, "diagnose", "--to", "-")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(answer.stdout) > 20<<20 {
		t.Errorf("it has %d bytes", len(answer.stdout))
	}
	zip, err := gzip.NewReader(strings.NewReader(answer.stdout))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"odi-diagnose/logs/odi-manager-", "odi-diagnose/metrics/odi-gateway-", "odi-diagnose/metrics/odiglet-", "odi-diagnose/nodes/", "odi-diagnose/index.json"} {
		if !bytes.Contains(content, []byte(want)) {
			t.Errorf("the archive has no %s", want)
		}
	}
	if bytes.Contains(content, []byte("PRIVATE KEY")) {
		t.Error("the archive has a private key")
	}
}

// report runs odi check, in which nothing fatal may be broken.
func (w *world) report(t *testing.T, line ...string) checks.Report {
	t.Helper()
	var report checks.Report
	if err := json.Unmarshal([]byte(w.odi(t, line...).stdout), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// expectWell fails unless the checks were made, and each of these codes is well of everything that it looked at.
func (w *world) expectWell(t *testing.T, report checks.Report, phase checks.Phase, codes ...string) {
	t.Helper()
	if report.Phase != phase {
		t.Errorf("the checks are those of %s, want %s", report.Phase, phase)
	}
	for _, r := range report.Results {
		if i := slices.Index(codes, r.Code); i >= 0 {
			codes = slices.Delete(codes, i, i+1)
			if r.State != checks.OK {
				t.Errorf("%s %s: %s: %+v", r.Code, r.Title, r.State, r.Findings)
			}
		}
	}
	if len(codes) > 0 {
		t.Errorf("not checked: %v", codes)
	}
}
