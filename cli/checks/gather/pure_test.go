package gather

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/internal/authority"
)

func node(name, kernel string, ready corev1.ConditionStatus) corev1.Node {
	return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelOSStable: "linux"}},
		Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KernelVersion: kernel},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}}}
}

func TestOneOfEachKindOfNodeIsAskedFirst(t *testing.T) {
	windows := node("w", "10", "True")
	windows.Labels[corev1.LabelOSStable] = "windows"
	nodes := []corev1.Node{node("a", "6.1", "True"), node("b", "6.1", "True"), node("gone", "6.9", "Unknown"), node("c", "6.8", "True"), windows}
	for most, want := range map[int][]string{1: {"a"}, 2: {"a", "c"}, 9: {"a", "c", "b"}} {
		if diff := cmp.Diff(want, choose(nodes, most)); diff != "" {
			t.Errorf("of at most %d (-want +got):\n%s", most, diff)
		}
	}
}

func TestAnswerOfAPod(t *testing.T) {
	with := func(state corev1.ContainerState) corev1.Pod {
		return corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: state}}}}
	}
	ended := func(code int32, message string) corev1.Pod {
		return with(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", Message: message}})
	}
	refused := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu", Message: "no room"}}
	for name, tc := range map[string]struct {
		pod        corev1.Pod
		done, read bool
		why        string
	}{
		"not made yet":           {corev1.Pod{}, false, false, ""},
		"still starting":         {with(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}), false, false, ""},
		"the image is not there": {with(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "x"}}), true, false, checks.Failed + "ImagePullBackOff: x"},
		"facts":                  {ended(0, `{"kernel":"6.8"}`), true, true, ""},
		"no facts":               {ended(0, "exec format error"), true, false, "cannot be read"},
		"it failed":              {ended(1, "odiglet: no"), true, false, checks.Failed + "the pod ended with 1: Error odiglet: no"},
		"the kubelet said no":    {refused, true, false, checks.Failed + "OutOfcpu: no room"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, done := answerOf(tc.pod)
			if done != tc.done || answer.Read != tc.read || !strings.Contains(answer.Why, tc.why) {
				t.Errorf("got %+v, %v", answer, done)
			}
		})
	}
}

func TestAddressesOfDestinations(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://jaeger.observability:4317":          "observability/jaeger:4317 maybe",
		"http://tempo.obs.svc.cluster.local":        "obs/tempo:80",
		"otel.obs.svc:4317":                         "obs/otel:4317",
		"https://collector":                         "odi-system/collector:443",
		"https://api.honeycomb.io:443":              "",
		"https://otlp.eu-west-1.aws.example.com":    "",
		"http://10.0.0.1:4317":                      "",
		"":                                          "",
		"http://[::1]:4317":                         "",
		"https://api.example.com/path?key=a%20b%zz": "",
	} {
		host, port := addressOf(endpoint)
		namespace, name, certain := serviceOf(host, "odi-system")
		got := ""
		if name != "" {
			got = namespace + "/" + name + ":" + itoa(port)
			if !certain {
				got += " maybe"
			}
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", endpoint, got, want)
		}
	}
}

func itoa(n int) string { return map[int]string{4317: "4317", 80: "80", 443: "443"}[n] }

func TestCertificateOfASecret(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	authorities, err := authority.Authorities{}.Renew(authority.ToGateway, start)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Pair{}.Renew(authorities, authority.Holder{Component: "gateway", Server: true}, start)
	if err != nil {
		t.Fatal(err)
	}
	got := ofSecret("s", map[string][]byte{"server.crt": pair.Cert, "server.key": pair.Key, "clients.crt": []byte("no pair")})
	if got.Problem != "" || !got.Until.After(start.Add(80*24*time.Hour)) {
		t.Errorf("got %+v", got)
	}
	for name, data := range map[string]map[string][]byte{
		"nothing": {}, "no PEM": {"a.crt": []byte("x"), "a.key": nil},
	} {
		if got := ofSecret("s", data); got.Problem == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSkew(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if got := skew(now.Add(time.Hour).Format("Mon, 02 Jan 2006 15:04:05 GMT"), now, now); !got.Read || got.Value.Round(time.Minute) != time.Hour {
		t.Errorf("got %+v", got)
	}
	if got := skew("", now, now); got.Read || got.Why == "" {
		t.Errorf("of no date: %+v", got)
	}
}
