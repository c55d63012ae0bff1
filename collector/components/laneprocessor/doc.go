// Package laneprocessor is the last step before one destination's exporter. It
// lets through only the data of one Kubernetes namespace, when one is set, and
// it keeps that destination's refusals to itself.
//
// The receiver hands each batch to all destinations' pipelines and answers its
// sender with their joined error. One destination whose queue is full would
// make the sender repeat the batch to all the others, as duplicates. The
// refused batch is counted by the exporter (otelcol_exporter_enqueue_failed_*).
package laneprocessor
