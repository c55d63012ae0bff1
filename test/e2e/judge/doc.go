// Package judge says what is wrong with the shop's traces: spans that are
// missing or doubled, parents that cannot be, attributes that break the
// conventions. It is pure; the end-to-end test gives it what Jaeger returned
// and prints what it says.
package judge
