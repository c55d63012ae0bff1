package peer

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/hack/prove/script"
)

// vectorMost is how many pieces the kernel takes in one call.
const vectorMost = 1024

// send sends the bytes of a step, each call with as much of it as it wants.
func (p *player) send(op *script.Op) error {
	sizes, end := op.Sizes, p.out+op.N
	if op.How == script.Plain || op.How == script.Socket || op.How == script.More || op.How == script.File {
		for _, n := range sizes {
			for last := p.out + n; p.out < last; {
				flags := p.sendFlags(op.How, last == end)
				err := p.call(func() (int, error) { return p.sendPiece(op.How, last, flags) })
				if err != nil {
					return err
				}
			}
		}
		return nil
	}
	for p.out < end {
		pieces, used := p.pieces(sizes, end)
		err := p.call(func() (int, error) { return p.sendPieces(op.How, pieces) })
		if err != nil {
			return err
		}
		sizes = sizes[min(used, len(sizes)):]
	}
	return nil
}

// call sends once and keeps the books; where there is no room it waits for some.
func (p *player) call(send func() (int, error)) error {
	s := p.watch.begin()
	n, err := send()
	switch {
	case errors.Is(err, unix.EINTR):
		return nil
	case errors.Is(err, unix.EAGAIN) && p.nowait:
		fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLOUT}}
		if n, err := unix.Poll(fds, patience*1000); n == 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("sending byte %d: no room: %w", p.out, err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("sending byte %d: %w", p.out, err)
	}
	p.out += uint32(n)
	p.watch.end(s, false, p.out)
	return nil
}

func (p *player) sendFlags(how script.How, last bool) int {
	flags := unix.MSG_NOSIGNAL
	if p.nowait {
		flags |= unix.MSG_DONTWAIT
	}
	if how == script.More && !last || p.cork {
		flags |= unix.MSG_MORE
	}
	return flags
}

// sendPiece sends what comes before last.
func (p *player) sendPiece(how script.How, last uint32, flags int) (int, error) {
	b := p.side.Out[p.out:last]
	if how == script.File {
		if err := p.makeFile(); err != nil {
			return 0, err
		}
		off := int64(p.out)
		return unix.Sendfile(p.fd, p.file, &off, len(b))
	}
	if how == script.Plain && !p.nowait && !p.cork {
		return unix.Write(p.fd, b)
	}
	n, _, e := unix.Syscall6(unix.SYS_SENDTO, uintptr(p.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0)
	return count(n, e)
}

func count(n uintptr, e unix.Errno) (int, error) {
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// pieces are the next ones; after a call that took less, the rest is one piece.
func (p *player) pieces(sizes []uint32, end uint32) (pieces [][]byte, used int) {
	at := p.out
	for used < len(sizes) && len(pieces) < vectorMost && at+sizes[used] <= end {
		pieces = append(pieces, p.side.Out[at:at+sizes[used]])
		at += sizes[used]
		used++
	}
	if len(pieces) == 0 {
		return [][]byte{p.side.Out[p.out:end]}, len(sizes)
	}
	return pieces, used
}

func (p *player) sendPieces(how script.How, pieces [][]byte) (int, error) {
	flags := p.sendFlags(how, true)
	if how == script.Vector && !p.nowait {
		return unix.Writev(p.fd, pieces)
	}
	if how == script.Many {
		return p.sendMany(pieces[:min(len(pieces), 64)], flags)
	}
	return unix.SendmsgBuffers(p.fd, pieces, nil, nil, flags)
}

// manyHeader is struct mmsghdr.
type manyHeader struct {
	unix.Msghdr
	sent uint32
	_    uint32
}

func (p *player) sendMany(pieces [][]byte, flags int) (int, error) {
	headers := make([]manyHeader, len(pieces))
	vectors := make([]unix.Iovec, len(pieces))
	for i, b := range pieces {
		vectors[i].Base = unsafe.SliceData(b)
		vectors[i].SetLen(len(b))
		headers[i].Iov = &vectors[i]
		headers[i].SetIovlen(1)
	}
	n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(p.fd), uintptr(unsafe.Pointer(&headers[0])), uintptr(len(headers)), uintptr(flags), 0, 0)
	if e != 0 {
		return 0, e
	}
	total := 0
	for _, h := range headers[:n] {
		total += int(h.sent)
		if h.sent < uint32(h.Iov.Len) {
			break
		}
	}
	return total, nil
}

func (p *player) makeFile() error {
	if p.file > 0 {
		return nil
	}
	fd, err := unix.MemfdCreate("body", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	p.file = fd
	for b := p.side.Out; len(b) > 0; {
		n, err := unix.Write(fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// read reads once into b.
func (p *player) read(how script.How, b []byte) (n int, err error) {
	for {
		n, err = p.readOnce(how, b)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func (p *player) readOnce(how script.How, b []byte) (int, error) {
	switch how {
	case script.Vector, script.Many:
		return unix.Readv(p.fd, split(b))
	case script.Message:
		n, _, _, _, err := unix.RecvmsgBuffers(p.fd, split(b), nil, 0)
		return n, err
	case script.Socket, script.More:
		n, _, e := unix.Syscall6(unix.SYS_RECVFROM, uintptr(p.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
		return count(n, e)
	case script.File:
		n, _, e := unix.Syscall6(unix.SYS_RECVFROM, uintptr(p.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_PEEK, 0, 0)
		if e != 0 || n == 0 {
			return count(n, e)
		}
		return unix.Read(p.fd, b[:n])
	}
	return unix.Read(p.fd, b)
}

// split cuts a buffer into pieces that grow.
func split(b []byte) [][]byte {
	var pieces [][]byte
	for n := 7; len(b) > n; n *= 3 {
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return append(pieces, b)
}
