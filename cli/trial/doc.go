// Package trial has the gateway test one Destination with the user's rights
// (internal/trial), and prints what the backend answered. `odi destination test`
// and `odi destination add --wait` use it.
package trial
