// Package rollout brings the agents that were decided into pods, and out of them again, by evicting
// pods: one first, then the rest at the workload's own pace. It never changes a template.
//
// From: the decisions, the pods of the workload, the canary claim of the webhook, what odiglets see.
// To: spec.rollout of the InstrumentedWorkload (which the webhook obeys), its status.rollout, its
// condition RolledOut, and evictions.
// What is next follows from what is (Plan); each step is recorded before it is done, so that a
// manager that is killed anywhere evicts no pod twice. What is left of an InstrumentedWorkload that has
// gone are the annotations of its pods: those are taken out the same way.
package rollout
