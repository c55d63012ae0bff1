package main

import (
	"os"
	"strconv"
)

// unrecorded is what requests cost of which no trace is recorded, beside those of which all are: the server, odi, and
// in the kernel.
func (b *bench) unrecorded() error {
	p, err := newPair()
	if err != nil {
		return err
	}
	defer p.stop()
	var app, own, ratio, all []float64
	for range rounds {
		base, err := p.measure(b.window)
		if err != nil {
			return err
		}
		var got [2]sample
		for i, share := range []string{"0", "1"} {
			s, odi, err := b.beside(p, p.server.pid(), "--sample", share)
			if err != nil {
				return err
			}
			if _, _, err := odi.end(); err != nil {
				return err
			}
			got[i] = s
		}
		app, own = append(app, got[0].server-base.server), append(own, got[0].odi)
		ratio, all = append(ratio, got[0].requests/base.requests), append(all, got[0].odi/got[1].odi)
	}
	b.add(figure{Name: "unrecorded_app_cpu_us_added", Unit: "us", Limit: 4, Samples: app})
	b.add(figure{Name: "unrecorded_odi_cpu_us_per_request", Unit: "us", Limit: 1, Samples: own})
	b.add(figure{Name: "unrecorded_odi_cpu_of_recorded", Unit: "ratio", Limit: 0.5, Samples: all})
	b.add(figure{Name: "unrecorded_throughput_ratio", Unit: "ratio", Limit: 0.90, Least: true, Samples: ratio})
	return b.withStatistics(func() error { return b.unrecordedInKernel(p) })
}

// unrecordedInKernel is what the kernel's statistics say of them.
func (b *bench) unrecordedInKernel(p *pair) error {
	odi, err := b.watch("--pid", strconv.Itoa(p.server.pid()), "-o", "none", "--sample", "0")
	if err != nil {
		return err
	}
	var samples []float64
	for range rounds {
		s, did, err := b.ranDuring(p, odi)
		if err != nil {
			return err
		}
		samples = append(samples, did.nanos/s.requests)
	}
	b.add(figure{Name: "unrecorded_bpf_ns_per_request", Unit: "ns", Limit: 1500, Samples: samples})
	_, _, err = odi.end()
	return err
}

// ranDuring is what the programs did while p was measured.
func (b *bench) ranDuring(p *pair, odi *odiRun) (s sample, did ran, err error) {
	from, err := programsOf(odi.pid())
	if err != nil {
		return s, did, err
	}
	if s, err = p.measure(b.window); err != nil {
		return s, did, err
	}
	to, err := programsOf(odi.pid())
	return s, between(from, to), err
}

// withStatistics has the kernel keep statistics of programs while f runs. They cost time themselves, so nothing else
// is measured meanwhile.
func (b *bench) withStatistics(f func() error) (err error) {
	before, err := os.ReadFile(statsSwitch)
	if err != nil {
		return err
	}
	if err := os.WriteFile(statsSwitch, []byte("1"), 0o644); err != nil {
		return err
	}
	defer func() {
		if back := os.WriteFile(statsSwitch, before, 0o644); err == nil {
			err = back
		}
	}()
	return f()
}
