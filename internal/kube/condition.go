package kube

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// SameCondition says whether a condition is already there as wanted, so that
// nothing has to be written. The time of its last transition does not count.
func SameCondition(have []metav1.Condition, want metav1.Condition) bool {
	c := meta.FindStatusCondition(have, want.Type)
	return c != nil && c.Status == want.Status && c.Reason == want.Reason &&
		c.Message == want.Message && c.ObservedGeneration == want.ObservedGeneration
}

// Condition is the apply configuration of one condition. Its time of transition
// is kept while the status is what it was, as the API conventions ask.
func Condition(now time.Time, have []metav1.Condition, want metav1.Condition) *metav1ac.ConditionApplyConfiguration {
	transition := metav1.NewTime(now)
	if c := meta.FindStatusCondition(have, want.Type); c != nil && c.Status == want.Status {
		transition = c.LastTransitionTime
	}
	return metav1ac.Condition().
		WithType(want.Type).
		WithStatus(want.Status).
		WithReason(want.Reason).
		WithMessage(want.Message).
		WithObservedGeneration(want.ObservedGeneration).
		WithLastTransitionTime(transition)
}

// Status turns a finding into a condition's status.
func Status(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}
