package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	kernel "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// hooks are the tracepoints that every call on a socket passes, where odi's programs are.
var hooks = []string{"sock_send_length", "sock_recv_length"}

// bare are programs that do nothing, at those hooks: what any program there costs, which no
// work on odi's can take away.
type bare struct {
	programs []*kernel.Program
	links    []link.Link
}

func attachBare() (*bare, error) {
	b := &bare{}
	for _, hook := range hooks {
		if err := b.attach(hook); err != nil {
			return nil, errors.Join(fmt.Errorf("an empty program at %s: %w", hook, err), b.close())
		}
	}
	return b, nil
}

func (b *bare) attach(hook string) error {
	program, err := kernel.NewProgram(&kernel.ProgramSpec{
		Name: "bare", Type: kernel.Tracing, AttachType: kernel.AttachTraceRawTp, AttachTo: hook, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return err
	}
	b.programs = append(b.programs, program)
	l, err := link.AttachTracing(link.TracingOptions{Program: program})
	if err != nil {
		return err
	}
	b.links = append(b.links, l)
	return nil
}

func (b *bare) close() error {
	var errs []error
	for _, l := range b.links {
		errs = append(errs, l.Close())
	}
	for _, p := range b.programs {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// perRun is what the statistics say of a program that does nothing, in ns: what they cost
// themselves with each run. They are switched on.
func (b *bare) perRun() (float64, error) {
	if err := talkToItself(50_000); err != nil {
		return 0, err
	}
	var nanos, times float64
	for _, p := range b.programs {
		s, err := p.Stats()
		if err != nil {
			return 0, err
		}
		nanos, times = nanos+float64(s.Runtime.Nanoseconds()), times+float64(s.RunCount)
	}
	if times == 0 {
		return 0, errors.New("the empty programs have not run")
	}
	return nanos / times, nil
}

// talkToItself sends a byte through a pair of sockets, so often.
func talkToItself(times int) (err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(pair[0]), unix.Close(pair[1])) }()
	one := make([]byte, 1)
	for range times {
		if _, err := unix.Write(pair[0], one); err != nil {
			return err
		}
		if _, err := unix.Read(pair[1], one); err != nil {
			return err
		}
	}
	return nil
}

// statisticsPerRun is perRun, measured once. Nothing else is measured meanwhile.
func (b *bench) statisticsPerRun() (ns float64, err error) {
	if b.perRun != 0 {
		return b.perRun, nil
	}
	if err := os.WriteFile(statsSwitch, []byte("1"), 0o644); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.WriteFile(statsSwitch, []byte("0"), 0o644)) }()
	empty, err := attachBare()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, empty.close()) }()
	b.perRun, err = empty.perRun()
	return b.perRun, err
}

// settling is how long the kernel takes to let go of a program whose link is closed.
const settling = 100 * time.Millisecond

// besideBare measures with empty programs at the hooks instead of odi's.
func besideBare(cost func() (float64, error)) (ns float64, err error) {
	empty, err := attachBare()
	if err != nil {
		return 0, err
	}
	ns, err = cost()
	err = errors.Join(err, empty.close())
	time.Sleep(settling)
	return ns, err
}
