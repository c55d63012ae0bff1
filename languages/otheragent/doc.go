// Package otheragent recognises the tracing agents and SDKs of other projects in a process, so that no
// request is reported twice and no second agent is loaded.
package otheragent
