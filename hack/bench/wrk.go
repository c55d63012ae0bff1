package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// wrkConnections are those of the issue.
const wrkConnections = 8

// muxed is a server of net/http with a ServeMux, on core 0, that wrk asks from core 1.
type muxed struct {
	server *process
	url    string
}

func newMuxed() (*muxed, error) {
	root, err := cloneRoot()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "odi-bench")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // It runs by then.
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "mux"), "./hack/bench/mux")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the server: %w: %s", err, out)
	}
	server, addr, err := spawnAs(filepath.Join(dir, "mux"))
	if err != nil {
		return nil, err
	}
	pinTree(server.pid(), 0)
	return &muxed{server, "http://" + addr + "/orders/17"}, nil
}

// asked is one load of wrk: requests, those in a second, and us of CPU for each, of the server and of what is
// beside it.
type asked struct {
	requests, rate, server, beside float64
}

// wrk asks for a while; beside is who instruments the server, 0: nobody.
func (m *muxed) wrk(d time.Duration, beside int) (a asked, err error) {
	pids := []int{m.server.pid()}
	if beside > 0 {
		pids = append(pids, beside)
	}
	before, err := cpuOfAll(pids)
	if err != nil {
		return a, err
	}
	out, err := exec.Command("taskset", "-c", "1", "wrk", "-t1", "-c"+strconv.Itoa(wrkConnections), "-d"+strconv.Itoa(int(max(d, time.Second).Seconds()))+"s", m.url).CombinedOutput()
	if err != nil {
		return a, fmt.Errorf("running wrk: %w: %s", err, out)
	}
	if a, err = readWrk(out); err != nil {
		return a, err
	}
	after, err := cpuOfAll(pids)
	if err != nil {
		return a, err
	}
	to := []*float64{&a.server, &a.beside}
	for i := range pids {
		*to[i] = float64((after[i] - before[i]).Nanoseconds()) / 1000 / a.requests
	}
	return a, nil
}

var wrkSays = regexp.MustCompile(`(?s)(\d+) requests in .*Requests/sec: +([\d.]+)`)

// wrkFails is what wrk says, with an exit code of 0, of requests without an answer, or with a bad one.
var wrkFails = regexp.MustCompile(`Socket errors:.*|Non-2xx.*`)

// readWrk reads what wrk has said.
func readWrk(out []byte) (a asked, err error) {
	if bad := wrkFails.Find(out); bad != nil {
		return a, fmt.Errorf("wrk says: %s", bad)
	}
	said := wrkSays.FindSubmatch(out)
	if said == nil {
		return a, fmt.Errorf("reading what wrk says: %s", out)
	}
	if a.requests, err = strconv.ParseFloat(string(said[1]), 64); err != nil {
		return a, err
	}
	if a.rate, err = strconv.ParseFloat(string(said[2]), 64); err == nil && a.requests == 0 {
		err = fmt.Errorf("wrk asked nothing: %s", out)
	}
	return a, err
}

func cpuOfAll(pids []int) (all []time.Duration, err error) {
	for _, pid := range pids {
		used, err := cpu(pid)
		if err != nil {
			return nil, err
		}
		all = append(all, used)
	}
	return all, nil
}

// way is what one of those that instrument the server costs, beside what it costs alone.
type way struct {
	ratio, added, beside []float64
	lost, uncounted      float64
}

func (w *way) put(with, alone asked) {
	w.ratio = append(w.ratio, with.rate/alone.rate)
	w.added = append(w.added, with.server-alone.server)
	w.beside = append(w.beside, with.beside)
}

// underWrk compares the server alone, with odi, and with go.opentelemetry.io/auto, both of which export: in turns.
func (b *bench) underWrk() error {
	m, err := newMuxed()
	if err != nil {
		return err
	}
	defer m.server.stop()
	if _, err := m.wrk(time.Second, 0); err != nil { // warm up
		return err
	}
	var alone []float64
	ofOdi, ofAuto := &way{}, &way{}
	for range rounds {
		base, err := m.wrk(b.window, 0)
		if err != nil {
			return err
		}
		alone = append(alone, base.server)
		if err := b.wrkBesideOdi(m, base, ofOdi); err != nil {
			return err
		}
		if b.auto == nil {
			if err := b.wrkBesideAuto(m, base, ofAuto); err != nil {
				b.auto = err // once is enough
			}
		}
	}
	b.add(figure{Name: "mux_cpu_us", Unit: "us", Free: true, Samples: alone})
	b.addWay("mux_odi", "a request to `net/http`'s ServeMux, `wrk -c8`, with `odi run`", ofOdi, true)
	if b.auto != nil {
		fmt.Println("# go.opentelemetry.io/auto was not measured:", b.auto)
		b.goals = append(b.goals, goal{what: "the same with " + autoName, unit: "not measured: " + firstOf(b.auto.Error())})
		return nil
	}
	b.addWay("mux_auto", "the same with "+autoName, ofAuto, false)
	return nil
}

// addWay adds the figures of one way and its lines of the table. Only odi has targets.
func (b *bench) addWay(name, what string, w *way, targets bool) {
	for _, f := range []struct {
		figure
		what string
	}{
		{figure{Name: name + "_throughput_ratio", Unit: "ratio", Limit: 0.95, Least: true, Samples: w.ratio}, "throughput"},
		{figure{Name: name + "_cpu_us_added", Unit: "us", Limit: 2, Samples: w.added}, "added to the server"},
		{figure{Name: name + "_beside_cpu_us", Unit: "us", Limit: perSpan, Samples: w.beside}, "CPU of its own process for a request"},
		{figure{Name: name + "_spans_lost", Unit: "spans", Value: w.lost}, "spans lost"},
	} {
		b.goal(f.figure, what+": "+f.what, targets)
	}
	if targets {
		b.add(figure{Name: name + "_spans_lost_uncounted", Unit: "spans", Value: w.uncounted})
	}
}

// wrkBesideOdi measures while odi watches the server and sends by OTLP.
func (b *bench) wrkBesideOdi(m *muxed, base asked, to *way) error {
	received, err := newSink()
	if err != nil {
		return err
	}
	defer received.server.Close()
	odi, err := b.watch("--pid", strconv.Itoa(m.server.pid()), "-o", "none", "--otlp", received.url)
	if err != nil {
		return err
	}
	with, err := m.wrk(b.window, odi.pid())
	if err != nil {
		return err
	}
	time.Sleep(settles)
	bk, _, err := odi.end()
	if err != nil {
		return err
	}
	to.put(with, base)
	to.lost += float64(bk.lost)
	to.uncounted += max(0, with.requests-float64(bk.seen))
	return nil
}
