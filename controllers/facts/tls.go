package facts

import odiv1 "github.com/odi-dev/odi/api/v1alpha1"

// mergeTLS joins what nodes say: what one of them reads is told, and the earliest time since which
// something is not read.
func mergeTLS(a, b odiv1.TLSFact) odiv1.TLSFact {
	if a.ReadBy == "" {
		a.ReadBy = b.ReadBy
	}
	if a.UnreadSince == nil || b.UnreadSince != nil && b.UnreadSince.Before(a.UnreadSince) {
		a.UnreadSince = b.UnreadSince
	}
	return a
}
