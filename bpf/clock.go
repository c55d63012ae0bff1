package bpf

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// anchorEvery bounds how far the two clocks can drift apart (NTP slews at most
// 500 us a second).
const anchorEvery = 10 * time.Second

// wallClock turns the kernel's monotonic clock into wall time.
type wallClock struct {
	offset   atomic.Int64 // wall - monotonic, ns
	anchored atomic.Int64 // monotonic, ns
}

func (c *wallClock) anchor() {
	mono := monotonic()
	c.offset.Store(time.Now().UnixNano() - mono)
	c.anchored.Store(mono)
}

// time converts; zero stays zero.
func (c *wallClock) time(mono uint64) time.Time {
	if mono == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(mono)+c.offset.Load())
}

// refresh anchors again when it is time to.
func (c *wallClock) refresh() {
	if monotonic()-c.anchored.Load() > int64(anchorEvery) {
		c.anchor()
	}
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // cannot happen: the clock exists on every Linux
	}
	return ts.Nano()
}
