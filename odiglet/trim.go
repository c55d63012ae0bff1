package odiglet

import (
	"bufio"
	"context"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pauses are when starting may be over, one after the other: targets are found,
// connections opened, the first metrics sent.
func pauses() []time.Duration {
	return []time.Duration{300 * time.Millisecond, 2 * time.Second, 15 * time.Second}
}

// trimWhenSettled gives memory back that only starting needed. The initialisers
// of the Kubernetes and gRPC packages touch most of the program's file, which
// would stay mapped, and be counted as ours, for good.
func trimWhenSettled(ctx context.Context, ready <-chan struct{}) {
	select {
	case <-ready:
	case <-ctx.Done():
		return
	}
	for _, pause := range pauses() {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		debug.FreeOSMemory()
		trimBinary()
	}
}

// trimBinary unmaps the pages of this program's file that were never changed.
// What is needed again comes back from the page cache at its first use.
func trimBinary() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return // an optimisation, no more
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	for _, m := range constantMappings(maps, exe) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.begin, m.end-m.begin, unix.MADV_DONTNEED)
	}
}

// mapping is a range of addresses.
type mapping struct{ begin, end uintptr }

// constantMappings finds the private, read-only mappings of a file in
// /proc/PID/smaps. One with anonymous pages is left out: it was written to before
// it became read-only (relocations), and the file does not hold what it holds.
func constantMappings(smaps io.Reader, file string) []mapping {
	var found []mapping
	var current mapping
	candidate := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		name, value, isFact := strings.Cut(lines.Text(), ":")
		switch {
		case !isFact || strings.Contains(name, " "):
			current, candidate = constantMapping(lines.Text(), file)
		case candidate && name == "Anonymous" && strings.TrimSpace(value) == "0 kB":
			found = append(found, current)
		}
	}
	return found
}

// constantMapping reads the first line of a mapping: begin-end perms offset dev inode path.
func constantMapping(line, file string) (mapping, bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[5] != file {
		return mapping{}, false
	}
	if perms := fields[1]; perms != "r--p" && perms != "r-xp" {
		return mapping{}, false
	}
	from, to, _ := strings.Cut(fields[0], "-")
	begin, err1 := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	return mapping{uintptr(begin), uintptr(end)}, err1 == nil && err2 == nil && begin < end
}
