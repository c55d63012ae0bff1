package facts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestTLS(t *testing.T) {
	at := func(minute int) *metav1.Time {
		return new(metav1.NewTime(time.Date(2026, 11, 27, 9, minute, 0, 0, time.UTC)))
	}
	for name, tc := range map[string]struct {
		nodes []odiv1.TLSFact
		want  odiv1.TLSFact
	}{
		"nothing is encrypted": {nodes: []odiv1.TLSFact{{}, {}}},
		"it is read":           {nodes: []odiv1.TLSFact{{}, {ReadBy: "OpenSSL"}}, want: odiv1.TLSFact{ReadBy: "OpenSSL"}},
		"the earliest of two":  {nodes: []odiv1.TLSFact{{UnreadSince: at(5)}, {UnreadSince: at(3)}, {}}, want: odiv1.TLSFact{UnreadSince: at(3)}},
		"a pod each way": {nodes: []odiv1.TLSFact{{UnreadSince: at(5)}, {ReadBy: "OpenSSL"}},
			want: odiv1.TLSFact{ReadBy: "OpenSSL", UnreadSince: at(5)}},
	} {
		t.Run(name, func(t *testing.T) {
			var in Input
			for _, fact := range tc.nodes {
				in.Nodes = append(in.Nodes, Node{Facts: []odiv1.ContainerFact{{Container: "app", Pods: 1, TLS: fact}}})
			}
			if diff := cmp.Diff(tc.want, fold(in).Containers[0].TLS); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
