package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// adoptSockets puts the outgoing connections that a target has open already
// into the socket map. What cannot be adopted only goes without header.
func (e *Engine) adoptSockets(pid uint32, proxy bool) {
	m := e.socketMap(proxy)
	if m == nil {
		return
	}
	e.eachOutgoing(pid, func(fd int, cookie uint64) {
		if err := m.Update(cookie, uint64(fd), ebpf.UpdateNoExist); err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
			e.log.Debug("cannot adopt a connection", "pid", pid, "reason", err)
		}
	})
}

// releaseSockets takes the connections of a former target out again.
func (e *Engine) releaseSockets(pid uint32) {
	if e.progs["odi_message"] == nil {
		return
	}
	deadline := time.Now().Add(drainMax)
	e.eachOutgoing(pid, func(fd int, cookie uint64) {
		awaitDrained(fd, deadline)
		e.takeOut(cookie)
	})
}

// drainMax bounds the wait for a target to read what its sockets hold. Longer
// would hold up detaching for a program that does not read at all.
const drainMax = 300 * time.Millisecond

// awaitDrained waits until a socket's owner has read what arrived: bytes that
// the kernel queued for a socket in a map with a verdict program are lost with
// the map's hold on the socket. Sockets without such a queue answer 0 at once.
func awaitDrained(fd int, deadline time.Time) {
	for time.Now().Before(deadline) {
		if n, err := unix.IoctlGetInt(fd, unix.TIOCINQ); err != nil || n == 0 {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func (e *Engine) takeOut(cookie uint64) {
	for _, name := range []string{"sockets", "proxy_sockets"} {
		_ = e.maps[name].Delete(cookie) // it is in one of them, or closed by now
	}
}

// socketMap returns nil where outgoing connections stay untouched.
func (e *Engine) socketMap(proxy bool) *ebpf.Map {
	switch {
	case e.progs["odi_message"] == nil:
		return nil
	case proxy && !e.proxyMap:
		return nil
	case proxy:
		return e.maps["proxy_sockets"]
	}
	return e.maps["sockets"]
}

// eachOutgoing calls f for each established TCP connection of a process that it
// did not accept. The descriptor is a duplicate and is closed after f.
func (e *Engine) eachOutgoing(pid uint32, f func(fd int, cookie uint64)) {
	pidfd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return // gone
	}
	defer func() { _ = unix.Close(pidfd) }()
	listening := listeningPorts(pid)
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
		if cookie, ok := outgoing(fd, listening); ok {
			f(fd, cookie)
		}
		_ = unix.Close(fd)
	}
}

// outgoing tells whether fd is an established TCP connection from a port that
// nobody listens on.
func outgoing(fd int, listening map[int]bool) (cookie uint64, ok bool) {
	if proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || proto != unix.IPPROTO_TCP {
		return 0, false
	}
	const established = 1
	if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err != nil || info.State != established {
		return 0, false
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, false
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		ok = !listening[a.Port]
	case *unix.SockaddrInet6:
		ok = !listening[a.Port]
	}
	if !ok {
		return 0, false
	}
	cookie, err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	return cookie, err == nil
}

// listeningPorts reads the listening ports of a process's network namespace.
func listeningPorts(pid uint32) map[int]bool {
	ports := map[int]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) < 4 || fields[3] != "0A" {
				continue
			}
			_, hex, _ := strings.Cut(fields[1], ":")
			if port, err := strconv.ParseUint(hex, 16, 16); err == nil {
				ports[int(port)] = true
			}
		}
		f.Close()
	}
	return ports
}

// prepareProxyMap finds out whether FIONREAD tells the truth about sockets in a
// socket map, and adds the verdict program where it does not.
func (e *Engine) prepareProxyMap() (degraded string, err error) {
	m := e.maps["proxy_sockets"]
	ok, err := fionreadAnswers(m)
	if err != nil {
		return "", err
	}
	if !ok {
		if err := e.attachToMap("proxy_sockets", "odi_arrived", ebpf.AttachSkSKBStreamVerdict); err != nil {
			return "", err
		}
		if ok, err = fionreadAnswers(m); err != nil {
			return "", err
		}
	}
	e.proxyMap = ok
	if !ok {
		return "this kernel answers FIONREAD wrongly for watched sockets: requests of proxies go out without header", nil
	}
	return "", nil
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
