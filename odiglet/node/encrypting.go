package node

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf"
)

// encrypting is what is known of the targets that encrypt, by process id. Pure.
func encrypting(targets []bpf.TargetStatus) map[int]odiv1.TLSFact {
	all := make(map[int]odiv1.TLSFact)
	for i := range targets {
		t := &targets[i]
		fact := odiv1.TLSFact{ReadBy: t.ReadBy()}
		if !t.Unread.IsZero() {
			fact.UnreadSince = new(metav1.NewTime(t.Unread.Truncate(time.Second))) // as the API keeps it
		}
		if fact != (odiv1.TLSFact{}) {
			all[int(t.PID)] = fact
		}
	}
	return all
}

func (c *cluster) encryptingNow() map[int]odiv1.TLSFact {
	if c.encrypting == nil {
		return nil
	}
	return c.encrypting()
}

// encrypts adds what is known of a process: what is read of any, and the earliest time since which
// something is not.
func (t *tally) encrypts(fact odiv1.TLSFact) {
	of := &t.fact.TLS
	if of.ReadBy == "" {
		of.ReadBy = fact.ReadBy
	}
	if since := fact.UnreadSince; since != nil && (of.UnreadSince == nil || since.Before(of.UnreadSince)) {
		of.UnreadSince = since
	}
}
