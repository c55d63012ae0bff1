package collectorconfig

import (
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// podSpecs are the pods of the chart as it is by default, by the name of what makes them.
func podSpecs(t *testing.T) map[string]corev1.PodSpec {
	t.Helper()
	manifests, err := os.ReadFile("../../charts/testdata/default.yaml") // The chart's own test holds it current.
	if err != nil {
		t.Fatal(err)
	}
	specs := map[string]corev1.PodSpec{}
	for document := range strings.SplitSeq(string(manifests), "\n---\n") {
		var d appsv1.Deployment // DaemonSets have their pods in the same place.
		if err := yaml.Unmarshal([]byte(document), &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind == "Deployment" || d.Kind == "DaemonSet" {
			specs[d.Name] = d.Spec.Template.Spec
		}
	}
	return specs
}

// TestCollectorsHaveRoomForTheirQueues compares what the collectors are told with what their pods have.
func TestCollectorsHaveRoomForTheirQueues(t *testing.T) {
	specs := podSpecs(t)
	for name, queues := range map[string]int64{"odi-gateway": GatewayQueues, "odi-node-collector": NodeQueues} {
		t.Run(name, func(t *testing.T) {
			spec := specs[name]
			var volume int64
			for _, v := range spec.Volumes {
				if v.Name == "queue" && v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil {
					volume = v.EmptyDir.SizeLimit.Value()
				}
			}
			if want := queues + VolumeSlack; volume < want {
				t.Errorf("the volume may have %d bytes, the queues and a few damaged files take up to %d", volume, want)
			}
			c := spec.Containers[0]
			if limit := c.Resources.Limits.StorageEphemeral().Value(); limit < volume+VolumeSlack {
				t.Errorf("the pod may have %d bytes, its volume and its log take up to %d", limit, volume+VolumeSlack)
			}
			if c.Resources.Requests.StorageEphemeral().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Error("it asks for no room, or has no limit of memory")
			}
			if got := *spec.TerminationGracePeriodSeconds; got != GraceSeconds {
				t.Errorf("it has %d s to end, want %d", got, GraceSeconds)
			}
			mounted := false
			for _, m := range c.VolumeMounts {
				mounted = mounted || m.Name == "queue" && m.MountPath == QueueDir && !m.ReadOnly
			}
			if !mounted {
				t.Error("the volume is not where the queues are")
			}
			if hasEnv(c, "GOMEMLIMIT") {
				t.Error("Go's memory limit is set beside what the collector reads by itself")
			}
		})
	}
	if got := *specs["odiglet"].TerminationGracePeriodSeconds; got < 30 {
		t.Errorf("the odiglet has %d s to end", got)
	}
}

func hasEnv(c corev1.Container, name string) bool {
	for _, e := range c.Env {
		if e.Name == name {
			return true
		}
	}
	return false
}
