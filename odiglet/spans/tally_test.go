package spans

import (
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
)

// TestTallies: requests without a span are let be counted, but for those that the kernel cannot tell from a probe; what
// was counted is reported as whom it was, also once its process is somebody else's.
func TestTallies(t *testing.T) {
	before, after := someOrigin(), someOrigin()
	before.Filter.Probes = []string{"/ready"}
	all := origins{1: before}
	accounts := books.New()
	p := New(Options{Origins: all, Recorder: red.NewRecorder(time.Now()), Books: accounts, Routes: routes.NewBook(), Protocols: rooms(), Sink: &keeper{}})
	handle := func(path string, flags uint8, as any, n uint64) any {
		x := request(1, path)
		if x.TraceFlags, x.CountAs = flags, as; n > 0 {
			x.Tally = &probe.Tally{Took: probe.Histogram{Count: n}}
		}
		p.Handle(&x)
		return x.CountAs
	}
	if as := handle("/1", 1, nil, 0); as != nil {
		t.Error("requests that are recorded are counted")
	}
	if as := handle("/ready", 0, nil, 0); as != nil {
		t.Error("requests that may be the kubelet's are counted")
	}
	as := handle("/1", 0, nil, 0)
	if as != before {
		t.Fatal("requests that are not recorded are told of one by one")
	}
	if handle("/1", 0, as, 10) != before {
		t.Error("they are no more")
	}
	all[1] = after
	if handle("/1", 0, as, 5) != nil {
		t.Error("they are counted as somebody's who is gone")
	}
	delete(all, 1)
	handle("/1", 0, as, 2)
	got := accounts.Balance(nil)
	if got.Seen != 20 || got.Dropped[loss.NotSampled] != 19 || got.DroppedTotal() != 19 {
		t.Errorf("%+v, want 20 that were seen, 19 of which are not sampled", got)
	}
}
