package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/libc"
)

// attachVerdict finds out whether FIONREAD tells the truth about sockets in a
// socket map. Where it does not, it adds the verdict program to one of the maps
// and watches who asks.
func (e *Engine) attachVerdict(spec *ebpf.CollectionSpec) (degraded string, err error) {
	m := e.maps["verdict_sockets"]
	if e.verdictMap, err = fionreadAnswers(m); err != nil || e.verdictMap {
		return "", err
	}
	if err := e.load(spec, "odi_arrived"); err != nil {
		return "this kernel answers FIONREAD wrongly for watched sockets, so requests of proxies go out without header: " + firstLine(err), nil
	}
	if err := e.attachToMap("verdict_sockets", "odi_arrived", ebpf.AttachSkSKBStreamVerdict); err != nil {
		return "", err
	}
	if e.verdictMap, err = fionreadAnswers(m); err != nil {
		return "", err
	}
	// The sockets in the map, their programs and so the map now live until the
	// sockets are closed, whatever becomes of this process: nothing is lost.
	if err := e.progs["odi_message"].BindMap(m); err != nil {
		return "", fmt.Errorf("binding the socket map to its program: %w", err)
	}
	// Only finds who asks; the programs that are known to ask do without it.
	if err := e.load(spec, "odi_ioctl"); err != nil {
		return "a program that asks FIONREAD before it reads an answer waits in vain: " + firstLine(err), nil
	}
	return "", nil
}

// watchIoctl waits for a target's first FIONREAD, where it gets a wrong answer.
func (e *Engine) watchIoctl(t *target) {
	prog := e.progs["odi_ioctl"]
	if prog == nil {
		return
	}
	at, err := libc.Find(t.PID, "ioctl")
	if err != nil {
		e.log.Debug("cannot see whether a process asks FIONREAD", "pid", t.PID, "reason", err)
		return
	}
	if t.ioctl, err = attachUprobe(prog, at.Path, at.Offset, t.PID); err != nil {
		e.log.Debug("cannot see whether a process asks FIONREAD", "pid", t.PID, "reason", err)
	}
}

// onFirstPoll serves a target that was seen to ask FIONREAD: its connections
// move to the map where it gets the right answer, and it is told to look again.
func (e *Engine) onFirstPoll(pid uint32) {
	e.mu.Lock()
	t := e.targets[pid]
	var watch link.Link
	if t != nil {
		watch, t.ioctl = t.ioctl, nil
	}
	e.mu.Unlock()
	if t == nil {
		return
	}
	if watch != nil {
		_ = watch.Close() // once is enough
	}
	e.guardVerdict()
	m := e.socketMap(true)
	e.eachOutgoing(pid, func(fd int, cookie uint64) {
		if e.maps["sockets"].Delete(cookie) != nil {
			return // it was not there
		}
		if m != nil {
			e.adopt(m, pid, fd, cookie)
		}
		// The kernel signals what waits once more: setting SO_RCVLOWAT, here to
		// the value it has, does that (tcp_set_rcvlowat in net/ipv4/tcp.c).
		if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT); err == nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, n)
		}
	})
}

// fionreadAnswers tries it on a connection of its own.
func fionreadAnswers(m *ebpf.Map) (bool, error) {
	near, far, err := loopbackPair()
	if err != nil {
		return false, fmt.Errorf("opening a test connection: %w", err)
	}
	defer func() { _ = errors.Join(unix.Close(near), unix.Close(far)) }()
	cookie, err := unix.GetsockoptUint64(near, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return false, err
	}
	if err := m.Put(cookie, uint64(near)); err != nil {
		return false, fmt.Errorf("putting a test connection into the map: %w", err)
	}
	defer func() { _ = m.Delete(cookie) }()
	if _, err := unix.Write(far, []byte("0123456789")); err != nil {
		return false, err
	}
	poll := []unix.PollFd{{Fd: int32(near), Events: unix.POLLIN}}
	if _, err := unix.Poll(poll, 1000); err != nil {
		return false, err
	}
	n, err := unix.IoctlGetInt(near, unix.TIOCINQ)
	return n == 10, err
}

// loopbackPair returns two connected TCP sockets.
func loopbackPair() (near, far int, err error) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(listener)
	if err := errors.Join(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(listener, 1)); err != nil {
		return 0, 0, err
	}
	addr, err := unix.Getsockname(listener)
	if err != nil {
		return 0, 0, err
	}
	if near, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, err
	}
	if err := unix.Connect(near, addr); err != nil {
		unix.Close(near)
		return 0, 0, err
	}
	if far, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC); err != nil {
		unix.Close(near)
		return 0, 0, err
	}
	return near, far, nil
}
