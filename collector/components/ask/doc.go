// Package ask has what `odi-collector ask` puts around the exporters of one
// destination: a receiver that sends one marked span, metric and log record
// through them, a middleware that sees what the backend answers, and a log that
// is read instead of printed. A Question joins the three.
//
// It says what was seen and judges nothing: odi's command line knows what the
// words mean. No secret of the destination is in what it says.
package ask
