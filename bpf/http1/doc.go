// Package http1 turns HTTP/1.1 exchanges into spans.
//
// http1.h recognises and frames requests in the kernel; Decode turns the bytes
// it kept into the span's fields. Decode is pure and trusts no byte.
package http1
