// Package requests answers who asks for a test of a Destination with kubectl: each
// new value of the annotation odi.dev/test-requested-at has the gateway send marked data,
// as `odi destination test` does (internal/trial). The answer is the condition Tested,
// without a word of the backend's, and status.testRequest says which request it is for.
package requests
