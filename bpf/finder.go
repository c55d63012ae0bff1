package bpf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// errOtherProc means that the pids of /proc are not those of this process's namespace.
var errOtherProc = errors.New("/proc shows another PID namespace than the one that odi runs in; mount a proc file system of this one (unshare --mount-proc)")

// found is struct found in include/types.h.
type found struct {
	startNanos uint64
	ns         uint64
	level      uint32
	tgid       uint32
	pid        uint32
	live       uint32
	groups     [foundGroups]uint64
}

const (
	foundGroups = 16
	foundSize   = 32 + 8*foundGroups
)

// finder knows processes by both their numbers: the one in the root PID namespace,
// which the programs use, and the one that /proc shows, which user space uses. It
// may be used by several goroutines.
type finder struct {
	prog *ebpf.Program
	// boot is what a time namespace adds to the time since boot.
	boot time.Duration
}

// newFinder also tells the programs of the kit which namespace is this process's.
func newFinder(k *kit) (*finder, error) {
	if self, err := os.Readlink("/proc/self"); err != nil || self != fmt.Sprint(os.Getpid()) {
		return nil, errors.Join(errOtherProc, err)
	}
	first, err := loadFinder(k)
	if err != nil {
		return nil, err
	}
	me, err := first.find(uint32(os.Getpid()))
	if err := errors.Join(err, first.close()); err != nil {
		return nil, err
	}
	if err := errors.Join(k.Variables["own_ns"].Set(me.ns), k.Variables["own_level"].Set(me.level)); err != nil {
		return nil, fmt.Errorf("setting the PID namespace: %w", err)
	}
	return loadFinder(k)
}

func loadFinder(k *kit) (*finder, error) {
	const name = "odi_find"
	part := k.only(name)
	part.Maps = map[string]*ebpf.MapSpec{".rodata": k.Maps[".rodata"]}
	coll, err := ebpf.NewCollectionWithOptions(part, ebpf.CollectionOptions{Cache: k.types})
	if err != nil {
		return nil, err
	}
	defer coll.Close()
	return &finder{prog: coll.DetachProgram(name), boot: bootOffset()}, nil
}

func (f *finder) close() error { return f.prog.Close() }

// find asks the kernel for the process of a number in this PID namespace. The
// error is os.ErrProcessDone when there is none, not even a zombie.
func (f *finder) find(pid uint32) (found, error) {
	link, err := linkTask(f.prog.FD(), pid)
	if err != nil {
		return found{}, fmt.Errorf("finding process %d: %w", pid, err)
	}
	defer unix.Close(link)
	fd, err := openIter(link)
	if err != nil {
		return found{}, fmt.Errorf("finding process %d: %w", pid, err)
	}
	file := os.NewFile(uintptr(fd), "bpf_iter")
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err != nil {
		return found{}, fmt.Errorf("finding process %d: %w", pid, err)
	}
	if len(raw) < foundSize {
		return found{}, fmt.Errorf("finding process %d: %w", pid, os.ErrProcessDone)
	}
	return parseFound(raw), nil
}

// alive says whether who still runs, so that its exit is yet to be seen.
func (f *finder) alive(who found, pid uint32) bool {
	now, err := f.find(pid)
	return err == nil && now.live > 0 && now.tgid == who.tgid && now.startNanos == who.startNanos
}

// ticks is the start of a process as /proc has it: in hundredths of a second.
func (f *finder) ticks(startNanos uint64) uint64 {
	return (startNanos + uint64(f.boot)) / uint64(time.Second/100)
}

func parseFound(raw []byte) found {
	u64, u32 := binary.NativeEndian.Uint64, binary.NativeEndian.Uint32
	f := found{
		startNanos: u64(raw), ns: u64(raw[8:]),
		level: u32(raw[16:]), tgid: u32(raw[20:]), pid: u32(raw[24:]), live: u32(raw[28:]),
	}
	for i := range f.groups {
		f.groups[i] = u64(raw[32+8*i:])
	}
	return f
}

// bootOffset reads what this process's time namespace adds; see time_namespaces(7).
func bootOffset() time.Duration {
	f, err := os.Open("/proc/self/timens_offsets")
	if err != nil {
		return 0 // a kernel without time namespaces
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "boottime") {
			continue
		}
		var seconds, nanos int64
		if n, _ := fmt.Sscanf(lines.Text(), "boottime %d %d", &seconds, &nanos); n == 2 {
			return time.Duration(seconds)*time.Second + time.Duration(nanos)
		}
	}
	return 0
}

// linkTask makes a link of an iterator over one task (BPF_LINK_CREATE). Its number
// is one of this process's PID namespace.
func linkTask(prog int, tid uint32) (int, error) {
	const linkCreate, traceIter = 28, 28
	info := &[4]uint32{tid} // union bpf_iter_link_info
	var still runtime.Pinner
	still.Pin(info)
	defer still.Unpin()
	attr := struct {
		prog, target, attachType, flags uint32
		info                            uint64
		infoLen, _                      uint32
	}{prog: uint32(prog), attachType: traceIter, info: uint64(uintptr(unsafe.Pointer(info))), infoLen: uint32(unsafe.Sizeof(*info))}
	return callBPF(linkCreate, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

// openIter opens what a link iterates over (BPF_ITER_CREATE).
func openIter(link int) (int, error) {
	const iterCreate = 33
	attr := struct{ link, flags uint32 }{link: uint32(link)}
	return callBPF(iterCreate, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

func callBPF(command uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
