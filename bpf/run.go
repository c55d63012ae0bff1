package bpf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/odi-dev/odi/bpf/probe"
)

// The reader pauses between two looks at the ring, so that a busy machine is
// woken for a batch and not for a request. An idle one sleeps in the kernel
// until the first event of the next batch wakes it.
const (
	pause    = 40 * time.Millisecond
	idleWait = time.Second
)

// delivery is where events are read into, one after the other: a request costs no
// memory of its own.
type delivery struct {
	record   ringbuf.Record
	exchange probe.Exchange
	handle   func(*probe.Exchange)
	settled  time.Time
}

// Run delivers finished requests to handle, one at a time, until ctx is done;
// then it delivers what the kernel still holds and returns nil. An exchange, heads
// included, is handle's until it returns. Run once only.
func (e *Engine) Run(ctx context.Context, handle func(*probe.Exchange)) error {
	d := &delivery{handle: handle}
	for {
		if err := e.renewLease(); err != nil {
			return err
		}
		e.settle(d)
		last := ctx.Err() != nil
		got, err := e.drain(d)
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("reading events: %w", err)
		case last:
			e.tellTallies(d)
			return nil
		}
		if got {
			sleep(ctx, pause)
			continue
		}
		if err := e.await(ctx, d); err != nil {
			if errors.Is(err, os.ErrClosed) {
				return nil
			}
			return fmt.Errorf("waiting for events: %w", err)
		}
	}
}

// settle has followers end what nothing more is told of, and tells what was counted, now and then.
func (e *Engine) settle(d *delivery) {
	now := time.Now()
	if now.Sub(d.settled) < idleWait {
		return
	}
	d.settled = now
	for _, f := range e.followers {
		if s, ok := f.(probe.Settler); ok {
			s.Settle(now, d.handle)
		}
	}
	e.tellTallies(d)
}

// drain delivers everything that is in the ring now.
func (e *Engine) drain(d *delivery) (got bool, err error) {
	e.clock.refresh()
	e.events.SetDeadline(time.Unix(1, 0)) // in the past: do not wait
	for {
		err := e.events.ReadInto(&d.record)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ringbuf.ErrFlushed) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = true
		e.deliver(d)
	}
}

// await sleeps until the kernel has an event.
func (e *Engine) await(ctx context.Context, d *delivery) error {
	e.events.SetDeadline(time.Now().Add(idleWait))
	stop := context.AfterFunc(ctx, func() { _ = e.events.Flush() })
	defer stop()
	err := e.events.ReadInto(&d.record)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ringbuf.ErrFlushed) {
		return nil
	}
	if err == nil {
		e.clock.refresh() // the machine may have slept meanwhile
		e.deliver(d)
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (e *Engine) deliver(d *delivery) {
	e.notices.catchUp() // who a process is must be known before what it did
	if !parseExchange(&d.exchange, d.record.RawSample, &e.clock) {
		return
	}
	handle := d.handle
	if e.isRemoved(d.exchange.PID) {
		handle = e.detach
	}
	if follower := e.followers[d.exchange.Protocol]; follower != nil {
		follower.Take(&d.exchange, handle)
		return
	}
	handle(&d.exchange)
	e.tell(d)
}

// detach counts a request of a process that is no target any more: nobody asked for its span.
func (e *Engine) detach(x *probe.Exchange) { e.unmade.add(x.PID, detached) }

// Layout of struct request in include/types.h.
const (
	requestSize = 152
	answerMax   = 4 << 10 // more than any room keeps
)

// Bits of request.bits.
const (
	bitTruncated = 1 << iota
	bitInjected
	bitHead
	bitConnect
	bitAnswered
	bitProxied
	_ // tied
	bitTLS
)

// parseExchange copies nothing: the heads stay in raw.
func parseExchange(x *probe.Exchange, raw []byte, clock *wallClock) bool {
	if len(raw) < requestSize {
		return false
	}
	u64 := func(at int) uint64 { return binary.NativeEndian.Uint64(raw[at:]) }
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(raw[at:]) }
	u16 := func(at int) uint16 { return binary.NativeEndian.Uint16(raw[at:]) }
	bits := raw[149]
	clocks := clock.offsetAt(u64(0))
	*x = probe.Exchange{
		Protocol:         probe.Code(raw[151]),
		Start:            clocks.time(u64(0)),
		Answered:         clocks.time(u64(8)),
		End:              clocks.time(u64(16)),
		GoID:             u64(56),
		RequestBodySize:  int64(u64(64)),
		ResponseBodySize: int64(u64(72)),
		PID:              u32(120),
		TID:              u32(124),
		StatusCode:       u16(140),
		Kind:             probe.Kind(raw[146]),
		Link:             probe.Link(raw[147]),
		TraceFlags:       raw[148],
		HeadTruncated:    bits&bitTruncated != 0,
		Injected:         bits&bitInjected != 0,
		TLS:              bits&bitTLS != 0,
		Error:            probe.ErrorKind(raw[150]),
	}
	end := min(len(raw), requestSize+int(u16(142)))
	x.RequestHead = raw[requestSize:end]
	x.AnswerHead = raw[end:min(len(raw), end+int(min(u32(132), answerMax)))]
	if bits&bitProxied != 0 {
		x.Preface = raw[end:]
	}
	copy(x.TraceID[:], raw[24:40])
	copy(x.SpanID[:], raw[40:48])
	copy(x.ParentSpanID[:], raw[48:56])
	x.Local = addrPort(u16(116), raw[80:96], u16(112))
	x.Peer = addrPort(u16(116), raw[96:112], u16(114))
	return true
}

func addrPort(family uint16, raw []byte, port uint16) netip.AddrPort {
	const unknown, afUnix, afINET = 0, 1, 2
	switch family {
	case unknown, afUnix:
		return netip.AddrPort{}
	case afINET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw[:4])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(raw)).Unmap(), port)
}
