// Package heartbeatreceiver asks one destination every few seconds whether it
// takes data, by sending it an empty batch through an exporter that neither
// queues nor retries. It needs no traffic, and it uses the very address,
// credentials and network path that the data uses.
//
// The answer is the gauge odi_destination_up{destination}: 1, or 0 with the
// backend's words in the label "error".
package heartbeatreceiver
