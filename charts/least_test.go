package charts_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// podSpecs are the pods of a rendered chart, by the name of what makes them.
func podSpecs(t *testing.T, manifests string) map[string]corev1.PodSpec {
	t.Helper()
	specs := map[string]corev1.PodSpec{}
	for _, document := range strings.Split(manifests, "\n---\n") {
		// Deployments and DaemonSets have their pods in the same place.
		var d appsv1.Deployment
		if err := yaml.Unmarshal([]byte(document), &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind == "Deployment" || d.Kind == "DaemonSet" {
			specs[d.Name] = d.Spec.Template.Spec
		}
	}
	return specs
}

// podLabels are the labels of the pods of a rendered chart.
func podLabels(t *testing.T, manifests string) []map[string]string {
	t.Helper()
	var all []map[string]string
	for _, document := range strings.Split(manifests, "\n---\n") {
		var d appsv1.Deployment
		if err := yaml.Unmarshal([]byte(document), &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind == "Deployment" || d.Kind == "DaemonSet" {
			all = append(all, d.Spec.Template.Labels)
		}
	}
	return all
}

func TestEveryComponentIsAsSmallAsItCanBe(t *testing.T) {
	manifests, err := render(t, "v1.36.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	users := map[int64]string{}
	for name, spec := range podSpecs(t, manifests) {
		if spec.HostNetwork || spec.HostIPC || spec.HostPID != (name == "odiglet") {
			t.Errorf("%s: the host's namespaces are the odiglet's alone, and only process ids", name)
		}
		if spec.NodeSelector["kubernetes.io/os"] != "linux" {
			t.Errorf("%s may be put on a node that is not Linux", name)
		}
		if unconfined := spec.SecurityContext.AppArmorProfile != nil; unconfined != (name == "odiglet") {
			t.Errorf("%s: only the odiglet needs to leave the runtime's AppArmor profile", name)
		}
		if spec.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s has no seccomp profile", name)
		}
		for _, c := range spec.Containers {
			checkContainer(t, name, c)
			user := *c.SecurityContext.RunAsUser
			if other, taken := users[user]; taken {
				t.Errorf("%s and %s are both user %d: each can read the other's memory", name, other, user)
			}
			users[user] = name
		}
	}
	for _, shared := range []int64{65532, 65534} {
		if name, taken := users[shared]; taken {
			t.Errorf("%s is user %d, as other people's images are", name, shared)
		}
	}
	if len(users) != 4 {
		t.Fatalf("only %v was looked at", users)
	}
}

func checkContainer(t *testing.T, name string, c corev1.Container) {
	t.Helper()
	sc := c.SecurityContext
	if sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem {
		t.Errorf("%s can write to its root file system", name)
	}
	if sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation {
		t.Errorf("%s can gain privileges", name)
	}
	if len(sc.Capabilities.Drop) != 1 || sc.Capabilities.Drop[0] != "ALL" {
		t.Errorf("%s keeps capabilities", name)
	}
	if len(sc.Capabilities.Add) > 0 && name != "odiglet" {
		t.Errorf("%s has capabilities: %v", name, sc.Capabilities.Add)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
		t.Errorf("%s has no bound on memory or no share of the processor", name)
	}
	if c.LivenessProbe == nil || c.ReadinessProbe == nil || c.StartupProbe == nil {
		t.Errorf("%s lacks a probe", name)
	}
}

func TestCollectorsHaveNoToken(t *testing.T) {
	manifests, err := render(t, "v1.36.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"odi-node-collector", "odi-gateway"} {
		spec := podSpecs(t, manifests)[name]
		if mount := spec.AutomountServiceAccountToken; mount == nil || *mount {
			t.Errorf("%s gets a token", name)
		}
	}
}

func TestADigestWinsOverATag(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	manifests, err := render(t, "v1.36.3", map[string]any{"collectorImage": map[string]any{"tag": "dev", "digest": digest}})
	if err != nil {
		t.Fatal(err)
	}
	if got := podSpecs(t, manifests)["odi-node-collector"].Containers[0].Image; got != "ghcr.io/odi-dev/odi-collector@"+digest {
		t.Errorf("the image is %s", got)
	}
}
