// Package node is the odiglet on a Kubernetes node. From the API server it takes
// the pods of its node and the InstrumentedWorkloads; they make it a selector of
// processes. What it sees goes to the node's NodeInstrumentation; live detail to
// whoever asks its query API. cmd/odiglet calls Run.
package node
