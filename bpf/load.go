package bpf

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/bpf/probe"
)

// group is the programs of one feature. Groups load one by one, so that a
// kernel that refuses one of them still runs the others.
type group struct {
	feature  probe.FeatureName
	programs []string
	attach   func(*Engine, *kit) (degraded string, err error)
	// needs is the sentence for a kernel that lacks the feature.
	needs string
}

// groups is in the order of loading; the first owns the maps.
var groups = []group{
	{
		feature:  probe.SocketSpans,
		programs: []string{"odi_state", "odi_destroyed"},
		attach:   (*Engine).attachSockets,
		needs:    "needs Linux 6.1 or later with BTF (tracepoints sock_send_length and sock_recv_length, or fexit programs)",
	},
	{
		feature:  probe.ProcessEvents,
		programs: []string{"odi_exec", "odi_exit", "odi_newtask"},
		attach:   (*Engine).attachProcesses,
		needs:    "needs BTF and the tracepoints of the scheduler",
	},
	{
		feature:  probe.Connections,
		programs: []string{"odi_flows"},
		attach:   (*Engine).attachFlows,
		needs:    "needs BPF iterators over the storage of sockets",
	},
	{
		feature:  probe.Propagation,
		programs: []string{"odi_message", "odi_connected", "odi_release"},
		attach:   (*Engine).attachPropagation,
		needs:    "needs a kernel with BPF socket maps (CONFIG_BPF_STREAM_PARSER) and a cgroup v2 mount",
	},
	{
		feature:  probe.GoLinks,
		programs: []string{"odi_roundtrip", "odi_grpc_put", "odi_grpc_take", "odi_http2_handler", "odi_grpc_handler", "odi_grpc_reader"},
		attach:   (*Engine).checkGoLinks,
		needs:    "needs BPF programs on uprobes",
	},
}

func newKit(ringBytes int) (*kit, error) {
	spec, err := loadKernel()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	size := DefaultRingBytes
	if ringBytes > 0 {
		size = os.Getpagesize()
		for size < ringBytes {
			size *= 2
		}
	}
	spec.Maps["events"].MaxEntries = uint32(size)
	if err := spec.Variables["unix_closes"].Set(unixCloses()); err != nil {
		return nil, fmt.Errorf("telling that the close of Unix sockets is seen: %w", err)
	}
	if err := spec.Variables["rtt_bounds"].Set(flow.Micros()); err != nil {
		return nil, fmt.Errorf("setting the buckets of round trips: %w", err)
	}
	if err := tellBounds(spec); err != nil {
		return nil, err
	}
	return &kit{spec, btf.NewCache()}, nil
}

// loadGroups loads and attaches every group and writes down what came of it.
func (e *Engine) loadGroups(k *kit) {
	defer e.dropAhead()
	for _, g := range groups {
		f := probe.Feature{Name: g.feature, State: probe.Active}
		degraded, err := e.loadGroup(k, g)
		if err != nil {
			e.log.Debug("a feature cannot be had", "feature", g.feature, "error", err, "verifier", verifierLog(err))
		}
		switch {
		case errors.As(err, new(errOther)):
			f.State, f.Reason = probe.Unavailable, err.Error()
		case err != nil:
			f.State, f.Reason = probe.Unavailable, fmt.Sprintf("%s: %s", g.needs, firstLine(err))
		case degraded != "":
			f.State, f.Reason = probe.Degraded, degraded
		}
		e.features = append(e.features, f)
	}
}

func (e *Engine) loadGroup(k *kit, g group) (string, error) {
	if err := e.load(k, g.programs...); err != nil {
		return "", err
	}
	return g.attach(e, k)
}

// load loads programs; the first to be loaded bring the maps along.
func (e *Engine) load(k *kit, programs ...string) error {
	var rest []string
	for _, name := range programs {
		taken, err := e.takeAhead(name)
		if err != nil {
			return err
		}
		if !taken {
			rest = append(rest, name)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	coll, err := k.load(e.maps, rest...)
	if err != nil {
		return err
	}
	defer coll.Close()
	for name, m := range coll.Maps {
		if _, have := e.maps[name]; !have {
			coll.DetachMap(name)
			e.maps[name] = m
		}
	}
	for name, p := range coll.Programs {
		coll.DetachProgram(name)
		e.progs[name] = p
	}
	return nil
}

func (e *Engine) attachTracing(names ...string) error {
	for _, name := range names {
		l, err := link.AttachTracing(link.TracingOptions{Program: e.progs[name]})
		if err != nil {
			return fmt.Errorf("attaching %s: %w", name, err)
		}
		e.links = append(e.links, l)
	}
	return nil
}

// attachSockets attaches to what a kernel has: the tracepoints since Linux 6.3,
// the functions around them before, and until 6.5 what sendfile and splice pass.
func (e *Engine) attachSockets(k *kit) (string, error) {
	e.loadLarge(k)
	names, err := e.loadCalls(k)
	if err != nil {
		return "", err
	}
	degraded := ""
	if e.progs["odi_sent"] == nil {
		degraded = withoutRooms()
	}
	ends := []string{"write_end"}
	if unixCloses() {
		names, err = e.loadIfThere(k, names, "odi_unix_closed")
	} else {
		ends = append(ends, "unix_read_end")
	}
	if err == nil {
		err = e.continueAtEnds(k, ends)
	}
	if err != nil {
		return "", err
	}
	return degraded, e.attachTracing(append(names, "odi_state", "odi_destroyed")...)
}

// loadLarge begins to load what takes longest.
func (e *Engine) loadLarge(k *kit) {
	e.loadAhead(k, "odi_sent", "odi_received", "odi_message")
}

// loadCalls loads what sees calls that send and receive.
func (e *Engine) loadCalls(k *kit) ([]string, error) {
	names := []string{"odi_sent", "odi_received"}
	err := e.load(k, names...)
	if errors.Is(err, ebpf.ErrNotSupported) {
		names = []string{"odi_sent_v4", "odi_received_v4"}
		others := []string{"odi_sent_v6", "odi_received_v6", "odi_sent_unix", "odi_received_unix"}
		e.loadAhead(k, append(names, others...)...)
		if err = e.load(k, names...); err != nil {
			return nil, err
		}
		names, err = e.loadIfThere(k, names, others...)
	}
	if err != nil {
		return nil, err
	}
	return e.loadIfThere(k, names, "odi_sent_page")
}

// continueAtEnds has the programs on the tracepoints go on with those for calls that
// meet the end of a connection.
func (e *Engine) continueAtEnds(k *kit, ends []string) error {
	for _, m := range ends {
		loaded, err := e.loadIfThere(k, nil, "odi_"+m)
		if err != nil || len(loaded) == 0 {
			return err
		}
		if err := e.maps[m].Put(uint32(0), e.progs["odi_"+m]); err != nil {
			return fmt.Errorf("going on with %s: %w", loaded[0], err)
		}
	}
	return nil
}

// loadIfThere loads those programs whose kernel function exists, and adds them to loaded.
func (e *Engine) loadIfThere(k *kit, loaded []string, programs ...string) ([]string, error) {
	for _, name := range programs {
		err := e.load(k, name)
		if errors.Is(err, ebpf.ErrNotSupported) {
			continue
		}
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, name)
	}
	return loaded, nil
}

func (e *Engine) attachProcesses(*kit) (string, error) {
	return "", e.attachTracing("odi_exec", "odi_exit", "odi_newtask")
}

// checkGoLinks attaches nothing yet: the uprobe goes to each Go target.
func (e *Engine) checkGoLinks(*kit) (string, error) { return "", nil }

func (e *Engine) attachPropagation(k *kit) (string, error) {
	if err := e.lookForOthers(k); err != nil {
		return "", err
	}
	if err := e.attachToMap("sockets", "odi_message", ebpf.AttachSkMsgVerdict); err != nil {
		return "", err
	}
	degraded, err := e.attachVerdict(k)
	if err != nil {
		return "", err
	}
	if e.leaving, err = newLeaving(e); err != nil {
		return "", err
	}
	path, err := cgroupPath(e.opts.CgroupPath)
	if err != nil {
		return "", err
	}
	if err := e.connects.attach(e.progs["odi_connected"], path); err != nil {
		return "", err
	}
	return degraded, nil
}

// attachToMap binds a program to a socket map for as long as the map exists.
func (e *Engine) attachToMap(m, prog string, as ebpf.AttachType) error {
	err := link.RawAttachProgram(link.RawAttachProgramOptions{Target: e.maps[m].FD(), Program: e.progs[prog], Attach: as})
	if err != nil {
		return fmt.Errorf("attaching %s to map %s: %w", prog, m, err)
	}
	return nil
}

// verifierLog returns all that the verifier said, if it was the verifier.
func verifierLog(err error) string {
	var refused *ebpf.VerifierError
	if !errors.As(err, &refused) {
		return ""
	}
	return strings.Join(refused.Log, "\n")
}

// firstLine keeps a verifier's pages out of a sentence for users.
func firstLine(err error) string {
	var refused *ebpf.VerifierError
	if errors.As(err, &refused) {
		return "the kernel's verifier refused the program: " + refused.Cause.Error()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
