package bpf

import (
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// kit is the programs and maps that are embedded, with what loading them needs.
type kit struct {
	*ebpf.CollectionSpec
	// types are those of the kernel: decoding them takes longer than the verifier needs
	// for most programs, so it is done once.
	types *btf.Cache
}

// only is the part of the kit that has no programs but some. Loading does not change it.
func (k *kit) only(programs ...string) *ebpf.CollectionSpec {
	part := *k.CollectionSpec
	part.Programs = make(map[string]*ebpf.ProgramSpec, len(programs))
	for _, name := range programs {
		part.Programs[name] = k.Programs[name]
	}
	return &part
}

// load loads programs, with maps that are there already.
func (k *kit) load(maps map[string]*ebpf.Map, programs ...string) (*ebpf.Collection, error) {
	return ebpf.NewCollectionWithOptions(k.only(programs...), ebpf.CollectionOptions{MapReplacements: maps, Cache: k.types})
}

// ahead is a program that is loaded before its turn.
type ahead struct {
	name    string
	done    chan struct{} // closed when the others are set
	program *ebpf.Program
	err     error
}

// loadAhead begins to load programs side by side, the first ones first: the verifier
// takes a tenth of a second of one processor for each of the large ones. The maps must
// be there. Whoever loads one of them from now on gets it from here.
func (e *Engine) loadAhead(k *kit, programs ...string) {
	next := make(chan *ahead, len(programs))
	for _, name := range programs {
		a := &ahead{name: name, done: make(chan struct{})}
		e.ahead[name] = a
		next <- a
	}
	close(next)
	for range min(runtime.GOMAXPROCS(0), len(programs)) {
		e.later.Go(func() {
			for a := range next {
				a.load(k, e.maps)
			}
		})
	}
}

func (a *ahead) load(k *kit, maps map[string]*ebpf.Map) {
	defer close(a.done)
	coll, err := k.load(maps, a.name)
	if err != nil {
		a.err = err
		return
	}
	defer coll.Close() // its maps are the engine's once more
	a.program = coll.DetachProgram(a.name)
}

// takeAhead takes over a program that was to be loaded ahead; false: it was not.
func (e *Engine) takeAhead(name string) (bool, error) {
	a, ok := e.ahead[name]
	if !ok {
		return false, nil
	}
	delete(e.ahead, name)
	<-a.done
	if a.err == nil {
		e.progs[name] = a.program
	}
	return true, a.err
}

// dropAhead lets go of what nobody has taken: its feature cannot be had.
func (e *Engine) dropAhead() {
	for name := range e.ahead {
		if _, err := e.takeAhead(name); err == nil {
			_ = e.progs[name].Close() // a descriptor, which cannot fail
			delete(e.progs, name)
		}
	}
}
