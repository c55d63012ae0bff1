package bpf

import (
	"testing"
	"time"
)

// clocks are those of a machine that a test runs.
type clocks struct{ mono, wall int64 }

func (c *clocks) pass(d time.Duration)  { c.mono += int64(d); c.wall += int64(d) }
func (c *clocks) sleep(d time.Duration) { c.wall += int64(d) } // also a step

func TestWallClock(t *testing.T) {
	const idle = time.Second
	for name, tc := range map[string]struct {
		// live lets time pass since the clocks were compared, and returns when a
		// request began and what the wall clock showed then.
		live func(c *clocks, check func()) (mono, wall int64)
	}{
		"nothing special": {func(c *clocks, _ func()) (int64, int64) {
			c.pass(idle)
			return c.mono, c.wall
		}},
		"the machine slept, and a request woke the reader": {func(c *clocks, _ func()) (int64, int64) {
			c.pass(idle / 2)
			c.sleep(time.Hour)
			c.pass(time.Millisecond)
			return c.mono, c.wall
		}},
		"the clock was set back": {func(c *clocks, _ func()) (int64, int64) {
			c.sleep(-time.Hour)
			c.pass(time.Millisecond)
			return c.mono, c.wall
		}},
		"a step that is hardly one": {func(c *clocks, _ func()) (int64, int64) {
			c.sleep(6 * time.Millisecond)
			c.pass(idle)
			return c.mono, c.wall
		}},
		"a request that began before the machine slept": {func(c *clocks, check func()) (int64, int64) {
			c.pass(idle)
			mono, wall := c.mono, c.wall
			c.pass(idle)
			check()
			c.sleep(time.Hour)
			c.pass(idle)
			check()
			c.pass(idle)
			return mono, wall
		}},
		"the clock is slewed": {func(c *clocks, check func()) (int64, int64) {
			for range 1000 {
				c.pass(idle)
				c.sleep(500 * time.Microsecond)
				check()
			}
			return c.mono, c.wall
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &clocks{mono: int64(time.Hour), wall: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC).UnixNano()}
			w := &wallClock{read: func() (int64, int64) { return c.mono, c.wall }}
			w.refresh()
			mono, wall := tc.live(c, w.refresh)
			w.refresh()
			at := w.offsetAt(uint64(mono)).time
			if off := at(uint64(mono)).Sub(time.Unix(0, wall)); off != 0 {
				t.Errorf("its start is wrong by %v", off)
			}
			if took := at(uint64(mono + 7e6)).Sub(at(uint64(mono))); took != 7*time.Millisecond {
				t.Errorf("it took %v, want 7ms", took)
			}
		})
	}
}

func TestWallClockOfThisMachine(t *testing.T) {
	var w wallClock
	mono := monotonic()
	if off := time.Since(w.offsetAt(uint64(mono)).time(uint64(mono))).Abs(); off > time.Second {
		t.Errorf("now is off by %v", off)
	}
	if !w.offsetAt(1).time(0).IsZero() {
		t.Error("what did not happen has a time")
	}
}
