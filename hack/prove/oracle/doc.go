// Package oracle compares what was seen of a conversation with what was said. It is
// pure.
//
// From: talk.Wants, the results of both sides, and the spans of the connection. To:
// a Verdict: what is lost, wrong or not linked, and how far the durations are off.
package oracle
