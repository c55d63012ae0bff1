// Package destination judges each Destination and watches over it. Ready says
// whether its fields, its secret and the collector itself agree with what the
// user wrote; Exporting says whether the backend takes the data, from what the
// gateway's pods report about their heartbeats and counters.
//
// The pipeline controller makes the gateway of those that are Ready. The
// manager runs this package.
package destination
