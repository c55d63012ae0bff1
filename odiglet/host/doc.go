// Package host selects processes of one machine without Kubernetes: by pid, by
// the port that they listen on, by executable, or because they are told to be,
// and their children with them. `odi run` is its caller.
package host
