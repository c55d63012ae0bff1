package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

type bench struct {
	odi     string
	window  time.Duration
	rounds  int // Of the suite agents.
	doc     string
	figures []figure
	// table, others and goals are lines of docs/price.md.
	table, others []string
	perRun        float64 // See statisticsPerRun; 0: not measured yet.
	goals         []goal
	auto          error // why go.opentelemetry.io/auto cannot be measured
}

// pair is a server on core 0 and a client on core 1.
type pair struct {
	server, client *process
}

func newPair() (*pair, error) {
	server, addr, err := spawn("server", "0", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	client, _, err := spawn("client", "1", addr)
	if err != nil {
		server.stop()
		return nil, err
	}
	p := &pair{server, client}
	_, err = client.load(500*time.Millisecond, 0) // warm up
	return p, err
}

func (p *pair) stop() {
	p.client.stop()
	p.server.stop()
}

// sample is one window: requests done and CPU per request on both sides, and of
// odi run where it watches, in us.
type sample struct {
	requests float64
	server   float64
	client   float64
	odi      float64
}

func (p *pair) measure(window time.Duration) (sample, error) {
	before := [2]time.Duration{}
	after := [2]time.Duration{}
	pids := [2]int{p.server.pid(), p.client.pid()}
	for i, pid := range pids {
		var err error
		if before[i], err = cpu(pid); err != nil {
			return sample{}, err
		}
	}
	n, err := p.client.load(window, 0)
	if err != nil {
		return sample{}, err
	}
	for i, pid := range pids {
		if after[i], err = cpu(pid); err != nil {
			return sample{}, err
		}
	}
	us := func(i int) float64 { return float64((after[i] - before[i]).Nanoseconds()) / 1000 / float64(n) }
	return sample{requests: float64(n), server: us(0), client: us(1)}, nil
}

// beside measures while odi run watches one of the processes.
func (b *bench) beside(p *pair, pid int, args ...string) (sample, *odiRun, error) {
	odi, err := b.watch(append([]string{"--pid", strconv.Itoa(pid), "-o", "none"}, args...)...)
	if err != nil {
		return sample{}, nil, err
	}
	before, err := cpu(odi.pid())
	if err != nil {
		return sample{}, nil, err
	}
	s, err := p.measure(b.window)
	if err != nil {
		return sample{}, nil, err
	}
	after, err := cpu(odi.pid())
	s.odi = float64((after - before).Nanoseconds()) / 1000 / s.requests
	return s, odi, err
}

// cost is what the server and the client pay, and what odi needs itself.
func (b *bench) cost() error {
	p, err := newPair()
	if err != nil {
		return err
	}
	defer p.stop()
	var app, client, own, ratio, rss, maps, stop, baseServer, baseClient []float64
	for range rounds {
		base, err := p.measure(b.window)
		if err != nil {
			return err
		}
		watched, odi, err := b.beside(p, p.server.pid())
		if err != nil {
			return err
		}
		mib, err := residentMiB(odi.pid())
		if err != nil {
			return err
		}
		objects, err := objectsOf(odi.pid())
		if err != nil {
			return err
		}
		_, took, err := odi.end()
		if err != nil {
			return err
		}
		asking, odi, err := b.beside(p, p.client.pid())
		if err != nil {
			return err
		}
		if _, _, err := odi.end(); err != nil {
			return err
		}
		baseServer, baseClient = append(baseServer, base.server), append(baseClient, base.client)
		app = append(app, watched.server-base.server)
		client = append(client, asking.client-base.client)
		own = append(own, watched.odi)
		ratio = append(ratio, watched.requests/base.requests)
		rss, maps = append(rss, mib), append(maps, objects.mapBytes/(1<<20))
		stop = append(stop, float64(took.Microseconds())/1000)
	}
	fmt.Printf("# without odi: server %.4g us, client %.4g us of CPU per request\n", median(baseServer), median(baseClient))
	b.add(figure{Name: "app_cpu_us_added", Unit: "us", Limit: 4, Samples: app})
	b.add(figure{Name: "client_cpu_us_added", Unit: "us", Limit: 12, Samples: client})
	b.add(figure{Name: "odi_cpu_us_per_request", Unit: "us", Free: true, Samples: own})
	b.add(figure{Name: "throughput_ratio", Unit: "ratio", Limit: 0.90, Least: true, Samples: ratio})
	b.add(figure{Name: "odiglet_rss_mib", Unit: "MiB", Limit: 60, Samples: rss})
	b.add(figure{Name: "bpf_maps_mib", Unit: "MiB", Limit: 24, Samples: maps})
	b.add(figure{Name: "stop_ms", Unit: "ms", Limit: 1000, Samples: stop})
	return nil
}

const statsSwitch = "/proc/sys/kernel/bpf_stats_enabled"

// kernelTime is what the kernel's own statistics say about the programs.
func (b *bench) kernelTime() error {
	perRun, err := b.statisticsPerRun()
	if err != nil {
		return err
	}
	return b.withStatistics(func() error { return b.inKernel(perRun) })
}

func (b *bench) inKernel(perRun float64) error {
	p, err := newPair()
	if err != nil {
		return err
	}
	defer p.stop()
	odi, err := b.watch("--pid", strconv.Itoa(p.server.pid()), "-o", "none")
	if err != nil {
		return err
	}
	var samples, statistics []float64
	for range rounds {
		s, did, err := b.ranDuring(p, odi)
		if err != nil {
			return err
		}
		samples, statistics = append(samples, did.nanos/s.requests), append(statistics, did.times*perRun/s.requests)
	}
	b.add(figure{Name: "bpf_ns_per_request", Unit: "ns", Limit: 1500, Samples: samples})
	b.add(figure{Name: "bpf_ns_of_statistics", Unit: "ns", Free: true, Samples: statistics})
	_, _, err = odi.end()
	return err
}

// loss compares what the client did with the books of odi run.
func (b *bench) loss() error {
	cases := []struct {
		name string
		rate int
		lost func(asked int64, bk books) int64
	}{
		{"spans_lost_uncounted", 0, func(asked int64, bk books) int64 { return asked - bk.sent - bk.dropped }},
		{"spans_lost", 5000, func(asked int64, bk books) int64 { return asked - bk.sent }},
	}
	for _, c := range cases {
		var samples []float64
		for range rounds {
			lost, err := b.lossOnce(c.rate, c.lost)
			if err != nil {
				return err
			}
			samples = append(samples, float64(lost))
		}
		b.add(figure{Name: c.name, Unit: "spans", Limit: 0, Samples: samples})
	}
	return nil
}

func (b *bench) lossOnce(rate int, lost func(int64, books) int64) (int64, error) {
	p, err := newPair()
	if err != nil {
		return 0, err
	}
	defer p.stop()
	odi, err := b.watch("--pid", strconv.Itoa(p.server.pid()), "-o", "none")
	if err != nil {
		return 0, err
	}
	asked, err := p.client.load(b.window, rate)
	if err != nil {
		return 0, err
	}
	time.Sleep(200 * time.Millisecond)
	bk, _, err := odi.end()
	return lost(asked, bk), err
}

// attach is the time from exec to the first request that has a span.
func (b *bench) attach() error {
	dir, err := os.MkdirTemp("", "odi-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	exe := filepath.Join(dir, "newcomer")
	if err := copyFile(self, exe); err != nil {
		return err
	}
	var samples []float64
	for range rounds {
		ms, err := b.attachOnce(exe)
		if err != nil {
			return err
		}
		samples = append(samples, ms)
	}
	b.add(figure{Name: "exec_to_attach_ms", Unit: "ms", Limit: 200, Samples: samples})
	return nil
}

func (b *bench) attachOnce(exe string) (float64, error) {
	odi, err := b.watch("--exe", exe, "-o", "json")
	if err != nil {
		return 0, err
	}
	started := time.Now()
	server, addr, err := spawnAs(exe, "server", "-1", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer server.stop()
	for time.Since(started) < time.Second {
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		time.Sleep(time.Millisecond)
	}
	if _, _, err := odi.end(); err != nil {
		return 0, err
	}
	first, err := firstStart([]byte(odi.out.String()))
	return float64(first.Sub(started).Microseconds()) / 1000, err
}

// firstStart finds the earliest span in OTLP/JSON lines.
func firstStart(lines []byte) (time.Time, error) {
	first := int64(0)
	for line := range bytes.Lines(lines) {
		var doc struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []struct {
						StartTimeUnixNano string `json:"startTimeUnixNano"`
					} `json:"spans"`
				} `json:"scopeSpans"`
			} `json:"resourceSpans"`
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			return time.Time{}, fmt.Errorf("reading spans: %w", err)
		}
		for _, rs := range doc.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					ns, err := strconv.ParseInt(s.StartTimeUnixNano, 10, 64)
					if err != nil {
						return time.Time{}, err
					}
					if first == 0 || ns < first {
						first = ns
					}
				}
			}
		}
	}
	if first == 0 {
		return time.Time{}, fmt.Errorf("odi run saw nothing")
	}
	return time.Unix(0, first), nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
