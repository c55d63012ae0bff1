package node

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
)

// TestEncrypting has a container of three processes: one encrypts by what is read, two do not.
func TestEncrypting(t *testing.T) {
	c := newCluster("n1", func() {})
	c.setPod(readPod(cartPod()))
	c.setWorkload(cart, decided{})
	since := time.Date(2026, 11, 27, 9, 3, 7, 123, time.UTC)
	c.encrypting = func() map[int]odiv1.TLSFact {
		return encrypting([]bpf.TargetStatus{
			{PID: 1, TLS: true}, {PID: 2, Unread: since.Add(time.Minute)}, {PID: 3, Unread: since}, {PID: 4},
		})
	}
	facts, _ := c.facts([]attach.Instance{
		instance(1, "c1", true, language.Runtime{}), instance(2, "c1", true, language.Runtime{}),
		instance(3, "c1", true, language.Runtime{}), instance(4, "c1", true, language.Runtime{}),
	}, time.Now())
	want := odiv1.TLSFact{ReadBy: "OpenSSL", UnreadSince: new(metav1.NewTime(since.Truncate(time.Second)))}
	if diff := cmp.Diff(want, facts[0].TLS); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
