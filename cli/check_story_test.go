package cli_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/internal/nodefacts"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestChecks is `odi check` on a real API server: before odi is there, in a namespace that refuses it, for who may
// do little, with a node that answers and one that does not, and after.
func TestChecks(t *testing.T) {
	restConfig := testkit.EmptyAPIServer(t)
	h := house{user: user{t}, c: testkit.Client(t, restConfig)}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))

	// Nothing is called well without evidence: the namespace is not there, and no node is.
	h.sees("check --pre --no-pods", 0, `✓ ODI-101  The API server answers: Kubernetes v1\..*`+
		`✓ ODI-202  You may define kinds.*\? ODI-303 .* - unknown\n +the namespace odi-system does not exist yet.*`+
		`✓ ODI-502  .*! ODI-601 .*0 of 0 nodes.*\d+ ok, 1 of warning, \d+ unknown, of which \d+ would be fatal: nothing that was seen is in odi's way\n$`)
	report := h.report("check --pre --no-pods", 0)
	if report.Phase != checks.Before || len(report.Results) < 40 {
		t.Errorf("%d checks %s", len(report.Results), report.Phase)
	}
	h.junit("check --pre --no-pods", 0, report)
	h.sees("check --pre --no-pods --set manger.replicas=1", 3, "✗ ODI-501 .*manger.*why: .*to mend: ")
	h.sees("check --pre --no-pods --set monitoring.podMonitors.enabled=true", 3, "✗ ODI-503 .*podmonitors.monitoring.coreos.com")
	h.sees("check --pre --no-pods --set odiglet.priorityClassName=nope", 3, "✗ ODI-504 .*missing: nope")
	h.sees("check --host --no-pods", 2, "--no-pods is about a cluster")

	// A namespace that refuses the odiglet: by its label, and in the API server's own words.
	testkit.Create(t, h.c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "odi-system",
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "default"}})
	h.sees("check --pre --no-pods", 3, `✗ ODI-302 .*enforces the level restricted.*✗ ODI-303 .*violates PodSecurity "restricted:latest".*hostPID`)
	h.sees(install, 3, `ODI-302 .*to mend: kubectl label --overwrite.*nothing was changed: 2 of the checks before an installation are fatal`)
	if left := h.kinds(); len(left) > 0 {
		t.Errorf("%d kinds were made all the same", len(left))
	}
	h.sees(install+" --skip-checks", 1, "enforces the Pod Security level restricted")
	h.relabel("privileged")
	h.sees("check --pre --no-pods", 0, "✓ ODI-302 .*✓ ODI-303 .*: a dry run was accepted")

	// Who may do nothing is told which rights are missing; what cannot be seen is unknown, with the reason.
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, "ann"))
	h.sees("check --pre", 3, `✗ ODI-202  You may define kinds - fatal\n +you may not get customresourcedefinitions.*to mend: Ask an administrator`)
	for _, result := range h.report("check --pre", 3).Results {
		ofChart := result.Code == "ODI-307" || strings.HasPrefix(result.Code, "ODI-50") // for which nobody has to be asked
		if result.State == checks.OK && result.Code > "ODI-300" && !ofChart {
			t.Errorf("ann may see nothing of it, and %s is well: %+v", result.Code, result.Findings)
		}
		for _, f := range result.Findings {
			if f.State == checks.Unknown && f.Text == "" {
				t.Errorf("%s is unknown without a reason", result.Code)
			}
		}
	}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))

	// After an installation whose components do not run: no kubelet is here.
	h.sees(install, 0, "")
	h.sees("check --no-pods", 3, `✗ ODI-701  The manager works - fatal\n.*✗ ODI-704 .*! ODI-801  There is a destination - of warning|none that is enabled`)
	if after := h.report("check --no-pods", 3); after.Phase != checks.After {
		t.Errorf("the checks are those of %s", after.Phase)
	}
}

// TestChecksAskNodes: a Job of one pod on each, which is gone afterwards, whether it answered or not.
func TestChecksAskNodes(t *testing.T) {
	restConfig := testkit.EmptyAPIServer(t)
	h := house{user: user{t}, c: testkit.Client(t, restConfig)}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	for _, name := range []string{"answers", "silent", "broken"} {
		h.node(name)
	}
	done := make(chan struct{})
	stopped := h.kubelet(done)
	begin := time.Now()
	out, _, code := h.types("check --pre --timeout 4s -o json")
	took := time.Since(begin)
	close(done)
	made := <-stopped
	if took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	report := decoded(t, out)
	if code != 3 {
		t.Errorf("exit code %d", code)
	}
	want := map[string]checks.State{"answers": checks.OK, "silent": checks.Unknown, "broken": checks.Broken}
	for _, f := range result(t, report, "ODI-610").Findings {
		if f.State != want[f.Subject] {
			t.Errorf("%s is %s: %s", f.Subject, f.State, f.Text)
		}
	}
	for _, f := range result(t, report, "ODI-611").Findings {
		if (f.State == checks.OK) != (f.Subject == "answers") {
			t.Errorf("BTF of %s is %s: %s", f.Subject, f.State, f.Text)
		}
	}
	if len(made) != 3 {
		t.Fatalf("%d Jobs were made", len(made))
	}
	for _, job := range made {
		spec := job.Spec.Template.Spec
		if job.Namespace != "odi-check" || !spec.HostPID || *spec.AutomountServiceAccountToken || len(spec.Volumes) != 1 ||
			job.Spec.TTLSecondsAfterFinished == nil || *job.Spec.ActiveDeadlineSeconds > 60 || *job.Spec.BackoffLimit != 0 {
			t.Errorf("not as short-lived, or as small, as it should be: %+v", job.Spec)
		}
	}
	var jobs batchv1.JobList
	if err := h.c.List(t.Context(), &jobs); err != nil || len(jobs.Items) > 0 {
		t.Errorf("%d Jobs are left (%v)", len(jobs.Items), err)
	}
	var own corev1.Namespace
	if err := h.c.Get(t.Context(), client.ObjectKey{Name: "odi-check"}, &own); err == nil && own.DeletionTimestamp == nil {
		t.Error("the namespace odi-check is left")
	}
}

// report runs a command with -o json.
func (h house) report(line string, wantCode int) checks.Report {
	h.t.Helper()
	out, err, code := h.types(line + " -o json")
	if code != wantCode || err != "" {
		h.t.Fatalf("odi %s ended with %d: %s", line, code, err)
	}
	return decoded(h.t, out)
}

func decoded(t *testing.T, out string) checks.Report {
	t.Helper()
	var report checks.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return report
}

func result(t *testing.T, report checks.Report, code string) checks.Result {
	t.Helper()
	for _, r := range report.Results {
		if r.Code == code {
			return r
		}
	}
	t.Fatalf("%s was not made", code)
	return checks.Result{}
}

// junit holds that what a CI system counts is what the report has.
func (h house) junit(line string, wantCode int, report checks.Report) {
	h.t.Helper()
	out, _, code := h.types(line + " -o junit")
	var read struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Name string `xml:"name,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(out), &read); err != nil || code != wantCode {
		h.t.Fatalf("%v, exit code %d:\n%s", err, code, out)
	}
	s := report.Summary
	got := fmt.Sprint(read.Suites[0].Tests, read.Suites[0].Failures, read.Suites[0].Skipped, len(read.Suites[0].Cases))
	if want := fmt.Sprint(len(report.Results), s.Fatal+s.Warning, s.Unknown, len(report.Results)); got != want {
		h.t.Errorf("junit has %s, want %s", got, want)
	}
	if name := read.Suites[0].Cases[0].Name; !regexp.MustCompile(`^ODI-101 The API`).MatchString(name) {
		h.t.Errorf("the first case is %q", name)
	}
}

func (h house) relabel(level string) {
	h.t.Helper()
	var namespace corev1.Namespace
	if err := h.c.Get(h.t.Context(), client.ObjectKey{Name: "odi-system"}, &namespace); err != nil {
		h.t.Fatal(err)
	}
	namespace.Labels["pod-security.kubernetes.io/enforce"] = level
	if err := h.c.Update(h.t.Context(), &namespace); err != nil {
		h.t.Fatal(err)
	}
}

// node makes one that says that it is ready.
func (h house) node(name string) {
	h.t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelOSStable: "linux"}}}
	testkit.Create(h.t, h.c, node)
	node.Status.NodeInfo = corev1.NodeSystemInfo{KernelVersion: "6.8.0", Architecture: "amd64", OperatingSystem: "linux"}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "R", Message: "M"}}
	if err := h.c.Status().Update(h.t.Context(), node); err != nil {
		h.t.Fatal(err)
	}
}

// kubelet stands for the Job controller and the kubelets, until done: the node answers runs its pod, broken cannot
// pull, and silent has none. It returns the Jobs that it saw.
func (h house) kubelet(done <-chan struct{}) <-chan map[string]batchv1.Job {
	stopped := make(chan map[string]batchv1.Job, 1)
	go func() {
		made := map[string]batchv1.Job{}
		for {
			select {
			case <-done:
				stopped <- made
				return
			case <-time.After(20 * time.Millisecond):
			}
			var jobs batchv1.JobList
			if h.c.List(h.t.Context(), &jobs) != nil {
				continue
			}
			for _, job := range jobs.Items {
				if _, known := made[job.Name]; !known && h.start(job) {
					made[job.Name] = job
				}
			}
		}
	}()
	return stopped
}

// start makes the pod of a Job; false where it has to be tried again.
func (h house) start(job batchv1.Job) bool {
	node := job.Spec.Template.Spec.NodeName
	if node == "silent" {
		return true
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: job.Name, Labels: job.Spec.Template.Labels}, Spec: job.Spec.Template.Spec}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: "default"}}
	if err := client.IgnoreAlreadyExists(h.c.Create(h.t.Context(), account)); err != nil || h.c.Create(h.t.Context(), pod) != nil {
		return false
	}
	state := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no such image"}}
	if node == "answers" {
		said, err := nodefacts.Encode(nodefacts.Facts{Kernel: "6.8.0", BTF: true, Time: time.Now()})
		if err != nil {
			return false
		}
		state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: string(said)}}
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "facts", State: state}}
	return h.c.Status().Update(h.t.Context(), pod) == nil
}
