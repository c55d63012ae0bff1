// Package kafka is the room of the protocol of Kafka: the kernel follows messages and
// hands over what they begin with, this pairs requests with their answers by their numbers,
// keeping what brokers have said of topics, and makes one exchange of each Produce, and of
// each Fetch that brings records. Keys and values of records go no further. For the engine,
// and bpf/protocols.
package kafka
