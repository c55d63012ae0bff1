package kafka

import "encoding/binary"

// What is asked for, by number.
const (
	keyProduce  = 0
	keyFetch    = 1
	keyMetadata = 3
)

// The last versions whose layout is known, and the first ones in which it changes.
const (
	produceLast     = 13
	produceFlexible = 9
	fetchLast       = 18
	fetchFlexible   = 12
	fetchNoReplica  = 15
	metadataLast    = 13
	topicIDs        = 13 // of Produce and Fetch: topics have no names
)

// topicID is what a topic is called where its name is not said.
type topicID [16]byte

// topic is one of a message's; all of its name, or its id.
type topic struct {
	name string
	id   topicID
}

// asked is what a request says.
type asked struct {
	key, version int16
	correlation  int32
	client       string
	silent       bool // no answer is wanted
	maxWait      int32
	sent         moved
}

// moved is what is known of records on their way.
type moved struct {
	// topic is the only one; nil: there are several, or it is not known.
	topic *topic
	// partition is the only one, -1: as topic.
	partition int32
	// count is that of the records, -1: not known.
	count int32
	// offset is that of the only record, -1: there are several, or it is not known.
	offset int64
	// fault is the first code of an error, 0: none.
	fault int16
	// idle says that there are no records.
	idle bool
}

func unknown() moved { return moved{partition: -1, count: -1, offset: -1} }

// isFlexible says whether lengths have none that is fixed. What is not read does not matter.
func isFlexible(key, version int16) bool {
	switch key {
	case keyProduce:
		return version >= produceFlexible
	case keyFetch:
		return version >= fetchFlexible
	}
	return key == keyMetadata && version >= 9
}

// isKnown says whether the layout of a request and its answer is.
func isKnown(key, version int16) bool {
	switch key {
	case keyProduce:
		return version >= 3 && version <= produceLast
	case keyFetch:
		return version >= 4 && version <= fetchLast
	}
	return key == keyMetadata && version >= 0 && version <= metadataLast
}

// readRequest reads what a request begins with; false: it is none.
func readRequest(head []byte) (asked, bool) {
	r := &reader{b: head}
	a := asked{key: r.int16(), version: r.int16(), correlation: r.int32(), sent: unknown()}
	if a.key > keyFetch && !r.cut {
		return a, true // no more is handed over
	}
	a.client = r.text()
	if r.cut || a.key < 0 || a.version < 0 {
		return asked{}, false
	}
	if !isKnown(a.key, a.version) {
		return a, true
	}
	r.flexible = isFlexible(a.key, a.version)
	r.tags()
	switch a.key {
	case keyProduce:
		a.produce(r)
	case keyFetch:
		if a.version < fetchNoReplica {
			r.skip(4)
		}
		a.maxWait = r.int32()
	}
	return a, true
}

// produce reads a Produce up to its first records.
func (a *asked) produce(r *reader) {
	r.text() // its transaction
	a.silent = r.int16() == 0 && !r.cut
	r.skip(4)
	if r.length() != 1 {
		return
	}
	t := readTopic(r, a.version)
	n := r.length()
	if r.cut {
		return
	}
	a.sent.topic = &t
	if n != 1 {
		return
	}
	partition := r.int32()
	size := r.length()
	if r.cut {
		return
	}
	a.sent.partition = partition
	a.sent.count, _ = readBatch(r.b[r.at:], size)
}

// readTopic reads which topic is meant.
func readTopic(r *reader, version int16) topic {
	if version >= topicIDs {
		return topic{id: r.uuid()}
	}
	return topic{name: r.text()}
}

// Layout of a batch of records, version 2.
const (
	batchLengthAt  = 8
	batchMagicAt   = 16
	batchAttrsAt   = 21
	batchCountAt   = 57
	batchHead      = 61
	batchIsControl = 1 << 5
)

// readBatch reads how many records are in some bytes, and the offset of the first; -1
// where they are not one batch, or no such one.
func readBatch(b []byte, size int) (count int32, offset int64) {
	if size < batchHead || len(b) < batchHead || b[batchMagicAt] != 2 || binary.BigEndian.Uint16(b[batchAttrsAt:])&batchIsControl != 0 {
		return -1, -1
	}
	if int(binary.BigEndian.Uint32(b[batchLengthAt:]))+batchLengthAt+4 != size {
		return -1, -1
	}
	count = int32(binary.BigEndian.Uint32(b[batchCountAt:]))
	offset = int64(binary.BigEndian.Uint64(b))
	if count < 0 || int(count) > size || offset < 0 {
		return -1, -1
	}
	return count, offset
}
