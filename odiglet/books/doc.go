// Package books counts what becomes of every request that the kernel saw:
// seen = sent + queued + dropped by reason, at any moment. The pipeline and the
// exporters write it; the end of `odi run` and the metrics page read it.
package books
