// Package heartbeatreceiver asks one destination every few seconds whether it
// takes data, by sending it an empty batch through an exporter that neither
// queues nor retries. It needs no traffic, and it uses the very address,
// credentials and network path that the data uses.
//
// The answer is the gauge odi_destination_up{destination}: 1, or 0 with the
// backend's words in the label "error". The gauge odi_destination_configured is
// there from the start. Both are labelled with the Destination, its UID and the
// generation that the configuration was made of, so that nobody takes what is
// said of one for what is said of another.
package heartbeatreceiver
