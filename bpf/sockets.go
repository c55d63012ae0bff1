package bpf

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// adoptSockets puts the outgoing connections that a target has open already
// into the socket map, and behind the verdict program too where the target asks
// FIONREAD. What cannot be adopted only goes without header; so does a blocking one
// of a process that handles signals, because it could not leave the map for a while.
func (e *Engine) adoptSockets(t *target, polls bool) {
	if e.progs["odi_message"] == nil || !e.fillsMaps(t) {
		return
	}
	pid := t.PID
	mayWait := func(fd int) bool { return !t.AsksAgain && blocks(fd) && disturbed(pid) }
	e.eachOutgoing(pid, func(fd, _ int, cookie uint64) {
		if mayWait(fd) {
			return
		}
		owner := connValue{TGID: t.tgid}
		if err := e.maps["conns"].Update(int32(fd), owner, ebpf.UpdateNoExist); err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
			e.log.Debug("cannot note whose a connection is", "pid", pid, "reason", err)
		}
		err := e.maps["sockets"].Update(cookie, uint64(fd), ebpf.UpdateNoExist)
		if err == nil && mayWait(fd) {
			_ = e.maps["sockets"].Delete(cookie) // it handles signals since: a program that starts begins to
			return
		}
		e.adopted(pid, fd, cookie, polls, err)
	})
}

// adopted says what became of a connection, and puts it behind the verdict program too.
func (e *Engine) adopted(pid uint32, fd int, cookie uint64, polls bool, err error) {
	if err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
		e.log.Debug("cannot adopt a connection", "pid", pid, "reason", err)
	} else if polls {
		e.putBehindVerdict(pid, fd, cookie)
	}
}

// putBack puts a connection back into the socket map, which it left with a request
// (propagate/blocking.h) or for the length of a body. Where its process has gone on meanwhile it is
// asked for again, by the answer to what it sends now.
func (e *Engine) putBack(n notice) {
	fd, ok := openOf(n.pid, n.fd)
	if !ok {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	mayEnter := func() bool { return hasSent(fd, n.startNanos) }
	if n.target { // a body goes over it, see propagate/bodies.h
		mayEnter = func() bool { return !blocks(fd) }
	}
	if cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil || cookie != n.key || !mayEnter() {
		return
	}
	e.mu.Lock() // who lets go of a target walks over the map afterwards
	defer e.mu.Unlock()
	if !e.fillsMaps(e.targets[n.pid]) {
		return
	}
	if err := e.maps["sockets"].Update(n.key, uint64(fd), ebpf.UpdateNoExist); err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
		e.log.Debug("cannot put a connection back", "pid", n.pid, "reason", err)
		return
	}
	if !mayEnter() || e.askedBefore(e.targets[n.pid].tgid) != 0 {
		_ = e.maps["sockets"].Delete(n.key)
	}
}

// openOf duplicates a descriptor of a process. False: either is gone.
func openOf(pid, number uint32) (fd int, ok bool) {
	pidfd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return 0, false
	}
	defer func() { _ = unix.Close(pidfd) }()
	fd, err = unix.PidfdGetfd(pidfd, int(number), 0)
	return fd, err == nil
}

// hasSent tells whether a connection has sent so many bytes, and nothing since.
func hasSent(fd int, bytes uint64) bool {
	const established = 1
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == established && info.Bytes_sent == bytes && info.Notsent_bytes == 0
}

// connValue is struct conn in include/types.h.
type connValue struct {
	_        [40]byte // owner
	TGID     uint32
	_        [16]byte
	Want     uint8 // not 0: was in the socket map from the start
	_        [2]byte
	TakenOut uint8 // asked in C
	_        [3]byte
	Out      uint8 // enum out
	_        [20]byte
}

// eachOutgoing calls f for each established TCP connection of a process that it
// did not accept. fd is a duplicate of the process's descriptor own, and is
// closed after f.
func (e *Engine) eachOutgoing(pid uint32, f func(fd, own int, cookie uint64)) {
	e.eachConnection(pid, func(c connection) {
		if !c.outgoing {
			return
		}
		if cookie, err := unix.GetsockoptUint64(c.fd, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil {
			f(c.fd, c.own, cookie)
		}
	})
}

// connection is an established TCP connection of a process.
type connection struct {
	fd       int // a duplicate
	own      int // of the process's descriptor
	port     uint16
	outgoing bool // nobody listens on its port
	info     *unix.TCPInfo
}

// eachConnection calls f for each established TCP connection of a process; its fd is
// closed after f.
func (e *Engine) eachConnection(pid uint32, f func(connection)) {
	pidfd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return // gone
	}
	defer func() { _ = unix.Close(pidfd) }()
	listening := listenersOf(pid)
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		name, err := os.Readlink(dir + "/" + entry.Name())
		if err != nil || !strings.HasPrefix(name, "socket:") {
			continue
		}
		n, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		fd, err := unix.PidfdGetfd(pidfd, n, 0)
		if err != nil {
			e.log.Debug("cannot look at a connection", "pid", pid, "reason", err)
			continue
		}
		if c, ok := connectionOf(fd, listening); ok {
			c.own = n
			f(c)
		}
		_ = unix.Close(fd)
	}
}

// connectionOf looks at fd; false: it is no established TCP connection.
func connectionOf(fd int, listening *listeners) (connection, bool) {
	if proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || proto != unix.IPPROTO_TCP {
		return connection{}, false
	}
	const established = 1
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil || info.State != established {
		return connection{}, false
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return connection{}, false
	}
	c := connection{fd: fd, info: info}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		c.port = uint16(a.Port)
	case *unix.SockaddrInet6:
		c.port = uint16(a.Port)
	default:
		return connection{}, false
	}
	c.outgoing = !listening.on(int(c.port))
	return c, true
}
