package decide

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

func TestJudge(t *testing.T) {
	for name, tc := range map[string]struct {
		container Container
		want      Verdict
	}{
		"a container whose runtime is not known yet gets eBPF at once": {
			container: Container{Wanted: odiv1.MethodAuto, InTemplate: true},
			want: Verdict{odiv1.MethodEBPF, odiv1.ReasonMethodEBPF,
				"eBPF probes attach to the running processes; nothing restarts."},
		},
		"any runtime gets eBPF": {
			container: Container{Wanted: odiv1.MethodAuto, InTemplate: true, Runtime: odiv1.Runtime{Language: "java", Version: "17.0.9"}},
			want: Verdict{odiv1.MethodEBPF, odiv1.ReasonMethodEBPF,
				"eBPF probes attach to the running processes; nothing restarts."},
		},
		"the workload is switched off": {
			container: Container{Wanted: odiv1.MethodNone, Config: "all", InTemplate: true},
			want: Verdict{odiv1.MethodNone, odiv1.ReasonMethodNone,
				"InstrumentationConfig all switches this workload off (spec.method)."},
		},
		"the container is switched off": {
			container: Container{Wanted: odiv1.MethodNone, Overridden: true, Config: "all", InTemplate: true},
			want: Verdict{odiv1.MethodNone, odiv1.ReasonContainerIgnored,
				"InstrumentationConfig all switches this container off (spec.containers)."},
		},
		"another agent is present": {
			container: Container{Wanted: odiv1.MethodAuto, InTemplate: true, Runtime: odiv1.Runtime{Language: "java", OtherAgent: "Datadog"}},
			want: Verdict{odiv1.MethodNone, odiv1.ReasonOtherAgentPresent,
				"Datadog already instruments this container; method eBPF instruments it all the same."},
		},
		"another agent is present and the user asks for eBPF": {
			container: Container{Wanted: odiv1.MethodEBPF, InTemplate: true, Runtime: odiv1.Runtime{Language: "java", OtherAgent: "Datadog"}},
			want: Verdict{odiv1.MethodEBPF, odiv1.ReasonMethodEBPF,
				"eBPF probes attach to the running processes; nothing restarts."},
		},
		"an injected sidecar is left alone": {
			container: Container{Wanted: odiv1.MethodAuto, Runtime: odiv1.Runtime{Language: "cpp"}},
			want: Verdict{odiv1.MethodNone, odiv1.ReasonInjectedSidecar,
				"The workload's pod template does not have this container: it was injected, or added to debug; " +
					"name it in spec.containers to instrument it."},
		},
		"an injected sidecar that the user names is instrumented": {
			container: Container{Wanted: odiv1.MethodEBPF, Overridden: true},
			want: Verdict{odiv1.MethodEBPF, odiv1.ReasonMethodEBPF,
				"eBPF probes attach to the running processes; nothing restarts."},
		},
		"the user's no comes before an injected sidecar": {
			container: Container{Wanted: odiv1.MethodNone, Config: "all", Runtime: odiv1.Runtime{OtherAgent: "Datadog"}},
			want: Verdict{odiv1.MethodNone, odiv1.ReasonMethodNone,
				"InstrumentationConfig all switches this workload off (spec.method)."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, judge(tc.container)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContainers(t *testing.T) {
	config := odiv1.InstrumentationConfig{}
	config.Name = "all"
	config.Spec.Method = odiv1.MethodAuto
	config.Spec.Containers = []odiv1.ContainerOverride{{Name: "logs", Method: odiv1.MethodNone}, {Name: "absent", Method: odiv1.MethodNone}}
	golang := odiv1.Runtime{Language: "go"}
	iw := &odiv1.InstrumentedWorkload{}
	iw.Status.Containers = []odiv1.ContainerStatus{{Name: "app", Runtime: golang}, {Name: "proxy"}}

	want := []Container{
		{Name: "app", Wanted: odiv1.MethodAuto, Config: "all", InTemplate: true, Runtime: golang},
		{Name: "logs", Wanted: odiv1.MethodNone, Config: "all", InTemplate: true, Overridden: true},
		{Name: "proxy", Wanted: odiv1.MethodAuto, Config: "all"},
	}
	got := containers(facts{workload: kube.Workload{Containers: []string{"app", "logs"}}, config: config, iw: iw})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	for name, tc := range map[string]struct {
		methods []odiv1.Method
		want    string
	}{
		"one method is named once":     {[]odiv1.Method{odiv1.MethodEBPF, odiv1.MethodEBPF}, "eBPF"},
		"different ones by container":  {[]odiv1.Method{odiv1.MethodEBPF, odiv1.MethodNone}, "a=eBPF, b=None"},
		"a workload without container": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var decisions []odiv1.ContainerDecision
			for i, m := range tc.methods {
				decisions = append(decisions, odiv1.ContainerDecision{Name: string(rune('a' + i)), Method: m})
			}
			if got := summary(decisions); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
