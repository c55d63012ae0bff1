// Package answers counts what a container answers, in slices of five seconds: by
// processes with the language agent that was decided, and by those without.
//
// From each server request (odiglet/spans) to what a node tells of a container
// (odiglet/node), so that controllers/rollout can compare what was answered in
// the same seconds. It counts no more than the last minute.
package answers
