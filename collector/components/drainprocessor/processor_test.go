package drainprocessor

import (
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
)

// falling is a queue that empties by itself.
type falling struct {
	left atomic.Int64
	step int64
}

func (f *falling) Waiting() int64 { return max(0, f.left.Add(-f.step)+f.step) }

func TestTheEndWaitsForTheQueues(t *testing.T) {
	tests := map[string]struct {
		ends        bool
		left, step  int64
		longest     time.Duration
		least, most time.Duration
		wantLeft    int64
	}{
		"a reload does not wait":         {ends: false, left: 100, longest: time.Minute, most: time.Second, wantLeft: 100},
		"empty queues end at once":       {ends: true, longest: time.Minute, most: time.Second},
		"it waits until they are empty":  {ends: true, left: 10, step: 1, longest: time.Minute, least: 5 * lookEvery, most: 10 * time.Second},
		"it waits no longer than it may": {ends: true, left: 100, longest: 300 * time.Millisecond, least: 250 * time.Millisecond, most: 5 * time.Second, wantLeft: 100},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			endedAt.Store(time.Now().UnixNano())
			t.Cleanup(func() { endedAt.Store(0) })
			queue := &falling{step: tc.step}
			queue.left.Store(tc.left)
			d := &drain{config: &Config{Longest: tc.longest}, log: zap.NewNop(), ended: func() bool { return tc.ends }, queues: []Queues{queue}}
			began := time.Now()
			if err := d.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < tc.least || took > tc.most {
				t.Errorf("it took %s, want between %s and %s", took, tc.least, tc.most)
			}
			if left := d.waiting(); left != tc.wantLeft {
				t.Errorf("%d are left, want %d", left, tc.wantLeft)
			}
		})
	}
}
