package kafka

import (
	"strconv"

	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "kafka", Code: 6, Connection: probe.ConnectionMessaging, Decode: Decode, Follow: Follow, Apart: true}

// duration is where the durations of clients are recorded.
var duration = &probe.Instrument{Name: "messaging.client.operation.duration", Description: "Duration of messaging operations that clients ask a broker for."}

// operations are what requests are called, by what they ask for: name and type.
var operations = [...][2]string{keyProduce: {"send", "send"}, keyFetch: {"poll", "receive"}}

// Decode reads the exchange into an empty span.
func Decode(x *probe.Exchange, span *probe.Span) {
	f, ok := readFacts(x.RequestHead)
	if !ok {
		return
	}
	operation := operations[f.key]
	span.Name = operation[0]
	span.LabelText("messaging.system", "kafka")
	span.LabelText("messaging.operation.name", operation[0])
	span.LabelText("messaging.operation.type", operation[1])
	putRecords(span, &f)
	if f.client != "" {
		span.PutText("messaging.client.id", f.client)
	}
	if x.Kind == probe.Client {
		span.Instrument = duration
	}
	span.PutEnds(x)
	putError(span, x, f.fault)
}

// putRecords says what was moved, as far as it is known.
func putRecords(span *probe.Span, f *facts) {
	switch {
	case f.topic != "":
		span.Name += " " + f.topic
		span.LabelText("messaging.destination.name", f.topic)
	case f.id != (topicID{}):
		span.PutText("odi.kafka.topic.id", f.id.String())
	}
	if f.partition >= 0 {
		span.PutText("messaging.destination.partition.id", strconv.Itoa(int(f.partition)))
	}
	if f.count >= 0 {
		span.PutNumber("messaging.batch.message_count", int64(f.count))
	}
	if f.offset >= 0 {
		span.PutNumber("messaging.kafka.offset", f.offset)
	}
}

// putError says how it ended, if not well.
func putError(span *probe.Span, x *probe.Exchange, fault int16) {
	reason := x.Error.String()
	switch {
	case reason != "":
	case fault != 0:
		reason = faultOf(fault)
	case x.Answered.IsZero():
		reason = "no_response"
	default:
		return
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}

// faults are the errors that clients of brokers meet most.
var faults = map[int16]string{
	-1: "UNKNOWN_SERVER_ERROR", 1: "OFFSET_OUT_OF_RANGE", 2: "CORRUPT_MESSAGE", 3: "UNKNOWN_TOPIC_OR_PARTITION", 5: "LEADER_NOT_AVAILABLE",
	6: "NOT_LEADER_OR_FOLLOWER", 7: "REQUEST_TIMED_OUT", 9: "REPLICA_NOT_AVAILABLE", 10: "MESSAGE_TOO_LARGE", 13: "NETWORK_EXCEPTION",
	17: "INVALID_TOPIC_EXCEPTION", 18: "RECORD_LIST_TOO_LARGE", 19: "NOT_ENOUGH_REPLICAS", 20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
	21: "INVALID_REQUIRED_ACKS", 29: "TOPIC_AUTHORIZATION_FAILED", 30: "GROUP_AUTHORIZATION_FAILED", 31: "CLUSTER_AUTHORIZATION_FAILED",
	32: "INVALID_TIMESTAMP", 35: "UNSUPPORTED_VERSION", 43: "UNSUPPORTED_FOR_MESSAGE_FORMAT", 44: "POLICY_VIOLATION", 45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
	46: "DUPLICATE_SEQUENCE_NUMBER", 47: "INVALID_PRODUCER_EPOCH", 48: "INVALID_TXN_STATE", 49: "INVALID_PRODUCER_ID_MAPPING",
	53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", 56: "KAFKA_STORAGE_ERROR", 59: "UNKNOWN_PRODUCER_ID", 70: "FETCH_SESSION_ID_NOT_FOUND",
	71: "INVALID_FETCH_SESSION_EPOCH", 74: "FENCED_LEADER_EPOCH", 75: "UNKNOWN_LEADER_EPOCH", 76: "UNSUPPORTED_COMPRESSION_TYPE",
	78: "OFFSET_NOT_AVAILABLE", 87: "INVALID_RECORD", 89: "THROTTLING_QUOTA_EXCEEDED", 90: "PRODUCER_FENCED", 100: "UNKNOWN_TOPIC_ID",
	103: "INCONSISTENT_TOPIC_ID", 106: "FETCH_SESSION_TOPIC_ID_ERROR",
}

// faultOf is the name of an error, or its number.
func faultOf(fault int16) string {
	if name, ok := faults[fault]; ok {
		return name
	}
	return strconv.Itoa(int(fault))
}
