// Package components says how each part of odi gets on: manager, gateway and one
// odiglet per node. install waits for them and status shows them.
package components
