package bpf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// fionread is how FIONREAD answers for sockets in a socket map.
type fionread int

const (
	fionreadTrue         fionread = iota
	fionreadNeedsVerdict          // true behind a verdict program, and the kernel shows who asks
	fionreadWatched               // true behind a verdict program, and a probe in each target shows who asks
	fionreadUnseen                // true behind a verdict program, but nobody sees who else asks
	fionreadWrong
)

// limit takes from a target's flags what this kernel does not need or cannot do.
// Where an answer may be wrong unseen, only programs that are known not to ask,
// or to be behind the verdict program, have their connections in a socket map.
func (f fionread) limit(flags uint16) uint16 {
	if f == fionreadTrue {
		return flags &^ flagPolls
	}
	known := flags&(flagGo|flagProxy) != 0
	polls := flags&flagPolls != 0
	if f == fionreadUnseen && !known || f == fionreadWrong && (!known || polls) {
		return flags &^ flagPropagate
	}
	return flags
}

// attachVerdict finds out whether FIONREAD tells the truth about sockets in a
// socket map. Where it does not, it adds the verdict program to the second map
// and prepares to see who asks.
func (e *Engine) attachVerdict(k *kit) (degraded string, err error) {
	ok, err := fionreadAnswers(e.maps["sockets"])
	if err != nil || ok {
		return "", err
	}
	e.fionread = fionreadWrong
	if err := e.load(k, "odi_arrived"); err != nil {
		return "this kernel answers FIONREAD wrongly for watched sockets, so only requests of Go programs and of some proxies carry a header: " + firstLine(err), nil
	}
	if err := e.attachToMap("verdict_sockets", "odi_arrived", ebpf.AttachSkSKBStreamVerdict); err != nil {
		return "", err
	}
	// The sockets in this map hold the program, and it the map: until they are
	// closed nothing that is queued gets lost, whatever becomes of this process.
	if err := e.progs["odi_arrived"].BindMap(e.maps["verdict_sockets"]); err != nil {
		return "", fmt.Errorf("binding the socket map to its program: %w", err)
	}
	if ok, err = fionreadAnswers(e.maps["sockets"], e.maps["verdict_sockets"]); err != nil || !ok {
		return "this kernel answers FIONREAD wrongly for watched sockets, so only requests of Go programs and of some proxies carry a header", err
	}
	if e.fionread = fionreadNeedsVerdict; e.attachAsks(k) == nil {
		return "", nil
	}
	if e.fionread = fionreadWatched; e.load(k, "odi_ioctl") == nil {
		e.asks = newSharedProbes(e.uprobes)
		return "", nil
	}
	e.fionread = fionreadUnseen
	return "this kernel answers FIONREAD wrongly for watched sockets and does not show who asks, so only requests of Go programs and proxies carry a header", nil
}

// attachAsks has the kernel tell who asks FIONREAD.
func (e *Engine) attachAsks(k *kit) error {
	if err := e.load(k, "odi_asks_v4"); err != nil {
		return err
	}
	names, err := e.loadIfThere(k, []string{"odi_asks_v4"}, "odi_asks_v6")
	if err != nil {
		return err
	}
	return e.attachTracing(names...)
}

// askedBefore keeps what the programs have seen of a target that is added again.
// Another program of the process begins anew: odi_exec forgets it.
func (e *Engine) askedBefore(tgid uint32) uint16 { return e.valueBefore(tgid).Flags & flagPolls }

// valueBefore returns what the programs go by now; the zero value of a process that is no target.
func (e *Engine) valueBefore(tgid uint32) targetValue {
	var before targetValue
	if err := e.maps["targets"].Lookup(tgid, &before); err != nil {
		return targetValue{} // new
	}
	return before
}

// onFirstPoll serves a target that was seen to ask FIONREAD: its connections
// move to the map where it gets the right answer, and it is told to look again.
func (e *Engine) onFirstPoll(pid uint32) {
	e.mu.Lock()
	t := e.targets[pid]
	if t != nil {
		t.watch.close() // once is enough
		t.watch = nil
	}
	e.mu.Unlock()
	if !e.fillsMaps(t) {
		return
	}
	e.guardVerdict()
	if e.serveFIONREAD(pid) > 0 {
		e.later.Go(func() { e.serveLater(pid) })
	}
}

// Connections that were being read when their process first asked FIONREAD get
// this many further chances, so long after each other.
const (
	laterTries = 100
	laterPause = 100 * time.Millisecond
)

func (e *Engine) serveLater(pid uint32) {
	for range laterTries {
		select {
		case <-time.After(laterPause):
		case <-e.closing:
			return
		}
		e.mu.Lock()
		t := e.targets[pid]
		e.mu.Unlock()
		if !e.fillsMaps(t) || e.serveFIONREAD(pid) == 0 {
			return
		}
	}
}

// serveFIONREAD puts a target's connections behind the verdict program and
// returns how many have to wait: who began to read a connection before it was in
// a socket map would wait in the wrong queue.
func (e *Engine) serveFIONREAD(pid uint32) (waiting int) {
	reading := readersOf(pid)
	e.eachOutgoing(pid, func(fd, own int, cookie uint64) {
		var c connValue
		if err := e.maps["conns"].Lookup(int32(fd), &c); err != nil || c.TakenOut != 0 {
			return // not in a socket map
		}
		if c.Want == 0 && reading[own] {
			waiting++
			return
		}
		e.putBehindVerdict(pid, fd, cookie)
	})
	return waiting
}

// putBehindVerdict makes FIONREAD answer right for a connection in the socket
// map, and signals once more what waits in it.
func (e *Engine) putBehindVerdict(pid uint32, fd int, cookie uint64) {
	switch err := e.maps["verdict_sockets"].Update(cookie, uint64(fd), ebpf.UpdateNoExist); {
	case errors.Is(err, ebpf.ErrKeyExist):
		return
	case err != nil:
		e.log.Debug("cannot serve FIONREAD on a connection", "pid", pid, "reason", err)
		return
	}
	// Setting SO_RCVLOWAT, here to the value it has, signals what waits
	// (tcp_set_rcvlowat in net/ipv4/tcp.c) and so runs the verdict program.
	if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT); err == nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, n)
	}
}

// readersOf returns the descriptors that threads of a process wait for in a
// system call: its number and its first argument begin /proc/PID/task/TID/syscall.
func readersOf(pid uint32) map[int]bool {
	reading := map[int]bool{}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	if err != nil {
		return reading // cannot happen: the pattern is right
	}
	for _, task := range tasks {
		line, err := os.ReadFile(task)
		if err != nil {
			continue // ended
		}
		var number, fd int
		if n, _ := fmt.Sscanf(string(line), "%d 0x%x", &number, &fd); n == 2 {
			reading[fd] = true
		}
	}
	return reading
}

// fionreadAnswers tries it on a connection of its own, in the given maps.
func fionreadAnswers(maps ...*ebpf.Map) (bool, error) {
	near, far, err := loopbackPair()
	if err != nil {
		return false, fmt.Errorf("opening a test connection: %w", err)
	}
	defer func() { _ = errors.Join(unix.Close(near), unix.Close(far)) }()
	cookie, err := unix.GetsockoptUint64(near, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return false, err
	}
	for _, m := range maps {
		if err := m.Put(cookie, uint64(near)); err != nil {
			return false, fmt.Errorf("putting a test connection into the map: %w", err)
		}
		defer func() { _ = m.Delete(cookie) }()
	}
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
