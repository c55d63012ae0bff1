// Package queuestorage keeps the queues of exporters on a disk, one folder for
// each, so that what happens to one stays with it.
//
// Every item of a queue is a file of its own with a checksum. The room that a
// queue takes is what lies in it, to the block, and a damaged file costs one
// item: it is set aside, counted (odi_queue_damaged_items) and logged. Nothing
// that lies in the folder can keep the collector from starting.
//
// A queue that no exporter asks for any more is removed after a while. The
// exporter's id names its folder: odi puts the UID of a Destination into it.
package queuestorage
