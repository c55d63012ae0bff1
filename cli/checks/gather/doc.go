// Package gather reads the facts that checks are judged by: from the API server, in
// dry runs, and from short-lived pods on nodes. What cannot be read is said, with the
// reason; nothing is decided here. `odi check`, `odi install` and `odi diagnose` call it.
package gather
