package main

import (
	"fmt"
	"strconv"
	"time"
)

// pacedRate is the issue's, on two cores.
const pacedRate = 20_000

// paced counts the spans that are lost while a server is asked at a steady rate, and as fast as it can. Where others use
// the machine, too, the rate may not be reached: the figure says what was.
func (b *bench) paced() error {
	for _, c := range []struct {
		name, what string
		rate       int
	}{{"paced", fmt.Sprintf("%d requests a second", pacedRate), pacedRate}, {"saturated", "as many requests as both cores do", 0}} {
		var lost, uncounted, reached []float64
		for range rounds {
			asked, bk, err := b.pacedOnce(c.rate)
			if err != nil {
				return err
			}
			lost = append(lost, float64(bk.lost))
			uncounted = append(uncounted, max(0, float64(asked-bk.seen)))
			reached = append(reached, float64(asked)/b.window.Seconds())
		}
		b.add(figure{Name: c.name + "_rate", Unit: "requests/s", Free: true, Samples: reached})
		what := fmt.Sprintf("%s (%.0f/s), a server in Go: spans lost", c.what, median(reached))
		b.goal(figure{Name: c.name + "_spans_lost", Unit: "spans", Samples: lost}, what, true)
		b.add(figure{Name: c.name + "_spans_lost_uncounted", Unit: "spans", Samples: uncounted})
	}
	return nil
}

func (b *bench) pacedOnce(rate int) (asked int64, bk books, err error) {
	p, err := newPair()
	if err != nil {
		return 0, bk, err
	}
	defer p.stop()
	received, err := newSink()
	if err != nil {
		return 0, bk, err
	}
	defer received.server.Close()
	odi, err := b.watch("--pid", strconv.Itoa(p.server.pid()), "-o", "none", "--otlp", received.url)
	if err != nil {
		return 0, bk, err
	}
	if asked, err = p.client.load(b.window, rate); err != nil {
		return 0, bk, err
	}
	time.Sleep(settles)
	bk, _, err = odi.end()
	return asked, bk, err
}

// memory is what odi and its maps take with so many idle targets.
func (b *bench) memory() error {
	for _, c := range []struct {
		n   int
		mib float64 // of the issue
	}{{1, 40}, {100, 80}, {1000, 160}} {
		n := c.n
		a, err := b.attachMany(n)
		if err != nil {
			return err
		}
		b.goal(figure{Name: fmt.Sprintf("memory_rss_mib_%d", n), Unit: "MiB", Limit: c.mib, Value: a.mib}, fmt.Sprintf("memory of odi with %d targets", n), true)
		b.goal(figure{Name: fmt.Sprintf("memory_maps_mib_%d", n), Unit: "MiB", Limit: 24, Value: a.maps}, fmt.Sprintf("maps in the kernel with %d targets", n), true)
	}
	return nil
}
