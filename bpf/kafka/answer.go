package kafka

// answerReader begins to read an answer behind its number.
func answerReader(head []byte, a *asked) *reader {
	r := &reader{b: head, flexible: isFlexible(a.key, a.version)}
	r.skip(4)
	r.tags()
	return r
}

// produced reads the answer to a Produce: how it went, and where the record is.
func produced(head []byte, a *asked) moved {
	m := a.sent
	if !isKnown(a.key, a.version) {
		return m
	}
	r := answerReader(head, a)
	for range r.length() {
		readTopic(r, a.version)
		for range r.length() {
			r.skip(4)
			fault := r.int16()
			offset := r.int64()
			if r.cut {
				return m
			}
			m.failed(fault)
			if m.count == 1 && fault == 0 && m.partition >= 0 && offset >= 0 {
				m.offset = offset
			}
			a.passOffsets(r)
		}
		if r.tags(); r.cut {
			return m
		}
	}
	return m
}

// passOffsets passes over the rest of what is said of a partition.
func (a *asked) passOffsets(r *reader) {
	r.skip(8)
	if a.version >= 5 {
		r.skip(8)
	}
	if a.version >= 8 {
		for range r.length() {
			r.skip(4)
			r.text()
			if r.tags(); r.cut {
				return
			}
		}
		r.text()
	}
	r.tags()
}

// failed keeps the first error.
func (m *moved) failed(fault int16) {
	if m.fault == 0 {
		m.fault = fault
	}
}

// fetched is where in the answer to a Fetch the reader is.
type fetched struct {
	*reader
	moved
	version int16
	some    bool // records were seen
	several bool // ... of several topics
}

// fetchedOf reads the answer to a Fetch: whose records have come. It ends within the
// records of the first partition that has any, unless these are few.
func fetchedOf(head []byte, a *asked) moved {
	f := &fetched{reader: answerReader(head, a), moved: unknown(), version: a.version}
	f.skip(4)
	if a.version >= 7 {
		f.failed(f.int16())
		f.skip(4)
	}
	topics := f.length()
	for i := range topics {
		t := readTopic(f.reader, a.version)
		partitions := f.length()
		for j := range partitions {
			f.partitionOf(&t)
			if f.cut {
				return f.ends(topics-i-1, partitions-j-1)
			}
		}
		if f.tags(); f.cut {
			return f.ends(topics-i-1, 0)
		}
	}
	if f.cut {
		return f.moved
	}
	f.idle = !f.some
	return f.moved
}

// partitionOf reads what has come of a partition.
func (f *fetched) partitionOf(t *topic) {
	partition, fault := f.int32(), f.int16()
	f.skip(16)
	if f.version >= 5 {
		f.skip(8)
	}
	for range f.length() {
		f.skip(16)
		if f.tags(); f.cut {
			return
		}
	}
	if f.version >= 11 {
		f.skip(4)
	}
	size := f.length()
	if f.cut {
		return
	}
	f.failed(fault)
	if size > 0 {
		f.found(t, partition, size)
		f.skip(size)
	}
	f.tags()
}

// found takes note of records.
func (f *fetched) found(t *topic, partition int32, size int) {
	count, offset := readBatch(f.b[f.at:], size)
	if !f.some {
		known := *t
		f.some, f.topic, f.partition, f.count = true, &known, partition, count
		if count == 1 {
			f.offset = offset
		}
		return
	}
	if f.topic == nil || *f.topic != *t {
		f.topic, f.several = nil, true
	}
	f.partition, f.offset = -1, -1
	if f.count < 0 || count < 0 {
		f.count = -1
		return
	}
	f.count += count
}

// ends says what is known where the answer goes on with more than what is there.
func (f *fetched) ends(topics, partitions int) moved {
	if partitions > 0 {
		f.partition, f.offset, f.count = -1, -1, -1
	}
	if topics > 0 {
		f.topic, f.partition, f.offset, f.count = nil, -1, -1, -1
	}
	if !f.some {
		f.topic = nil
	}
	return f.moved
}

// readNames reads the names of topics out of the answer to a Metadata.
func readNames(head []byte, a *asked, learn func(topicID, string)) {
	if !isKnown(a.key, a.version) || a.version < 10 {
		return
	}
	r := answerReader(head, a)
	r.skip(4)
	for range r.length() {
		r.skip(4)
		r.text()
		r.skip(4)
		r.text()
		if r.tags(); r.cut {
			return
		}
	}
	r.text()
	r.skip(4)
	for range r.length() {
		r.skip(2)
		name, id := r.text(), r.uuid()
		if r.cut {
			return
		}
		if name != "" && id != (topicID{}) {
			learn(id, name)
		}
		passPartitions(r)
		r.skip(4)
		if r.tags(); r.cut {
			return
		}
	}
}

// passPartitions passes over those of a topic in the answer to a Metadata.
func passPartitions(r *reader) {
	r.skip(1)
	for range r.length() {
		r.skip(2 + 4 + 4 + 4)
		for range 3 { // replicas: all, those in sync, those that are away
			r.skip(4 * max(0, r.length()))
		}
		if r.tags(); r.cut {
			return
		}
	}
}
