package charts_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// TestCollectorsHaveRoomForTheirQueues compares what the collectors are told with what their pods have.
func TestCollectorsHaveRoomForTheirQueues(t *testing.T) {
	manifests, err := render(t, "v1.36.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	specs := podSpecs(t, manifests)
	for name, queues := range map[string]int64{"odi-gateway": collectorconfig.GatewayQueues, "odi-node-collector": collectorconfig.NodeQueues} {
		t.Run(name, func(t *testing.T) {
			spec := specs[name]
			var volume int64
			for _, v := range spec.Volumes {
				if v.Name == "queue" && v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil {
					volume = v.EmptyDir.SizeLimit.Value()
				}
			}
			if want := queues + collectorconfig.VolumeSlack; volume < want {
				t.Errorf("the volume may have %d bytes, the queues and a few damaged files take up to %d", volume, want)
			}
			c := spec.Containers[0]
			if limit := c.Resources.Limits.StorageEphemeral().Value(); limit < volume+collectorconfig.VolumeSlack {
				t.Errorf("the pod may have %d bytes, its volume and its log take up to %d", limit, volume+collectorconfig.VolumeSlack)
			}
			if c.Resources.Requests.StorageEphemeral().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Error("it asks for no room, or has no limit of memory")
			}
			if got := *spec.TerminationGracePeriodSeconds; got != collectorconfig.GraceSeconds {
				t.Errorf("it has %d s to end, want %d", got, collectorconfig.GraceSeconds)
			}
			mounted := false
			for _, m := range c.VolumeMounts {
				mounted = mounted || m.Name == "queue" && m.MountPath == collectorconfig.QueueDir && !m.ReadOnly
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
