package bpf

import (
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stepAtLeast tells a step of the wall clock, or the time that a machine slept,
	// from slewing (at most 500 us a second) and from a pause between two readings.
	stepAtLeast = 5 * time.Millisecond
	// readAtOnce is more than reading the clocks takes while nobody interrupts it.
	readAtOnce = 20 * time.Microsecond
	// readTries bounds how often they are read again for that.
	readTries = 5
)

// wallClock turns the kernel's monotonic clock, which stands still while the
// machine sleeps, into wall time. The zero value is usable, by one goroutine.
//
// refresh comes between waking up and looking at events. What began before the
// last one that found no step keeps the time of then. When exactly the step came
// after it cannot be told; on an idle machine, what wakes the reader is newer.
type wallClock struct {
	// read returns both clocks at one moment, in ns; nil reads those of the machine.
	read func() (mono, wall int64)

	known   bool
	offset  int64 // wall - monotonic, ns
	checked int64 // when offset was found to hold last, by the monotonic clock
	step    int64 // what began before it, by the monotonic clock, goes by before
	before  int64 // offset before the step
}

// refresh compares the clocks.
func (c *wallClock) refresh() {
	read := c.read
	if read == nil {
		read = readClocks
	}
	mono, wall := read()
	offset := wall - mono
	if c.known && time.Duration(offset-c.offset).Abs() >= stepAtLeast {
		c.step, c.before = c.checked, c.offset
	}
	c.known, c.offset, c.checked = true, offset, mono
}

// offsetAt is what turns the times of a request that began at mono into wall
// time. All of them go by one, so that no step in between changes what it took.
func (c *wallClock) offsetAt(mono uint64) clockOffset {
	if !c.known {
		c.refresh()
	}
	if int64(mono) < c.step {
		return clockOffset(c.before)
	}
	return clockOffset(c.offset)
}

// clockOffset is wall - monotonic, ns.
type clockOffset int64

// time converts; zero stays zero.
func (o clockOffset) time(mono uint64) time.Time {
	if mono == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(mono)+int64(o))
}

// readClocks reads the wall clock between two looks at the monotonic one.
func readClocks() (mono, wall int64) {
	least := int64(1) << 62
	for range readTries {
		begin := monotonic()
		now := time.Now().UnixNano()
		took := monotonic() - begin
		if took < least {
			least, mono, wall = took, begin+took/2, now
		}
		if took < int64(readAtOnce) {
			break
		}
	}
	return mono, wall
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // cannot happen: the clock exists on every Linux
	}
	return ts.Nano()
}
