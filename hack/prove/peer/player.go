package peer

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/hack/prove/script"
)

// player is in the middle of one script.
type player struct {
	fd     int
	open   bool
	side   *script.Side
	strip  stripper
	out    uint32 // bytes sent
	cork   bool
	nowait bool
	file   int // a memory file with all that is to be sent, 0: not made yet
	watch  watch
	odd    string
	buffer []byte
}

// errOver ends a script early without a fault: the peer has gone, as it may.
var errOver = errors.New("the peer has gone")

// run plays one script on a connection of its own.
func run(side *script.Side, buffer []byte, connect func() (int, uint32, error)) *script.Result {
	r := &script.Result{ID: side.ID}
	fd, port, err := connect()
	if err != nil {
		r.Fault = err.Error()
		return r
	}
	r.Port = port
	p := &player{fd: fd, open: true, side: side, strip: newStripper(side), watch: newWatch(side), buffer: buffer}
	defer p.watch.close()
	for i := range side.Ops {
		if err := p.step(&side.Ops[i]); err != nil {
			if !errors.Is(err, errOver) {
				r.Fault = fmt.Sprintf("step %d: %v", i, err)
			}
			break
		}
	}
	if p.open {
		p.close()
	}
	if p.file > 0 {
		_ = unix.Close(p.file)
	}
	if r.Fault == "" {
		r.Odd = p.odd
	}
	r.Times = p.watch.times
	r.Headers = p.strip.headers
	return r
}

// step does one thing of the script.
func (p *player) step(op *script.Op) error {
	switch op.Kind {
	case script.Send:
		return p.trySend(op)
	case script.Recv:
		return p.recv(op)
	case script.RecvEnd:
		return p.recvEnd()
	case script.HalfClose:
		return unix.Shutdown(p.fd, unix.SHUT_WR)
	case script.Close:
		p.close()
	case script.Reset:
		return p.reset()
	case script.Sleep:
		time.Sleep(time.Duration(op.N) * time.Microsecond)
	case script.Settle:
		return p.settle()
	default:
		return p.prepare(op)
	}
	return nil
}

// prepare sets how all that follows is sent.
func (p *player) prepare(op *script.Op) error {
	switch op.Kind {
	case script.SendBuf:
		return unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, int(op.N))
	case script.NonBlock:
		p.nowait = true
	case script.Cork:
		p.cork = true
	}
	return nil
}

// trySend sends. A peer that has gone is no fault where the script expects it.
func (p *player) trySend(op *script.Op) error {
	err := p.send(op)
	if err != nil && op.Flags&script.MayFail != 0 && gone(err) {
		return errOver
	}
	return err
}

// close closes the connection.
func (p *player) close() {
	p.ended(func() error { return unix.Close(p.fd) })
	p.open = false
}

// reset closes the connection and has the kernel tell the peer by a reset.
func (p *player) reset() error {
	if err := unix.SetsockoptLinger(p.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return err
	}
	p.close()
	return nil
}

func gone(err error) bool {
	return errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET)
}

// ended notes when the connection ended for this side.
func (p *player) ended(f func() error) {
	s := p.watch.begin()
	_ = f()
	p.watch.end(s, true, script.AtEnd)
	p.watch.end(s, false, script.AtEnd)
}

func (p *player) settle() error {
	for range 200_000 {
		n, err := unix.IoctlGetInt(p.fd, unix.SIOCOUTQ) // of a unix socket: what the peer has not read
		if err != nil || n == 0 {
			return err
		}
		time.Sleep(20 * time.Microsecond)
	}
	return errors.New("the peer's kernel does not take what was sent")
}

// oddEAGAIN is what no socket may say that its process has not made non-blocking.
const oddEAGAIN = "a call that waits said EAGAIN"

// recv reads until the strange bytes aside op.N have come.
func (p *player) recv(op *script.Op) error {
	begin := time.Now()
	for i := 0; p.strip.at < op.N; i++ {
		size := op.Sizes[i%len(op.Sizes)]
		s := p.watch.begin()
		n, err := p.read(op.How, p.buffer[:size])
		if errors.Is(err, unix.EAGAIN) && time.Since(begin) < patience/2*time.Second {
			p.odd = oddEAGAIN
			continue
		}
		if err != nil {
			return fmt.Errorf("reading byte %d: %w", p.strip.at, err)
		}
		if n == 0 {
			return fmt.Errorf("the connection ended before byte %d of %d", p.strip.at, op.N)
		}
		if err := p.strip.feed(p.buffer[:n]); err != nil {
			return err
		}
		p.watch.end(s, true, p.strip.at)
	}
	return nil
}

// recvEnd reads until the connection ends, one way or the other.
func (p *player) recvEnd() error {
	begin, again := time.Now(), false
	for {
		s := p.watch.begin()
		n, err := unix.Read(p.fd, p.buffer[:1<<16])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n > 0 {
			if again {
				p.saidAgain(nil)
			}
			again = false
			if err := p.strip.feed(p.buffer[:n]); err != nil {
				return err
			}
			p.watch.end(s, true, p.strip.at)
			continue
		}
		if errors.Is(err, unix.EAGAIN) {
			if time.Since(begin) > patience/2*time.Second {
				return errors.New("the connection does not end")
			}
			again = true
			continue
		}
		if again {
			p.saidAgain(err)
		}
		p.watch.end(s, true, script.AtEnd) // it may still say something
		return nil
	}
}

// saidAgain notes that a call that waits said EAGAIN, and the next one err.
func (p *player) saidAgain(err error) {
	if p.odd == "" && errors.Is(err, unix.ECONNRESET) {
		p.odd = script.ResetSaysAgain
		return
	}
	p.odd = oddEAGAIN
}
