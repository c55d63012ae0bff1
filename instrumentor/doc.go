// Package instrumentor is the pod webhook's room: Inject(pod, decision) -> pod,
// pure, and the adapter that serves it. It is empty as long as decide chooses
// eBPF for every container, which changes no pod: no language agent ships yet,
// and a webhook without one could only do harm. decide answers a wish for an
// agent with the reason AgentsNotYetAvailable.
package instrumentor
