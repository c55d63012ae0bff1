package bpf

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// calmSignals are those that propagate/blocking.h does not ask for.
const calmSignals = 1<<(unix.SIGILL-1) | 1<<(unix.SIGTRAP-1) | 1<<(unix.SIGABRT-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGFPE-1) |
	1<<(unix.SIGSEGV-1) | 1<<(unix.SIGPIPE-1) | 1<<(unix.SIGSYS-1) | 1<<(unix.SIGINT-1) | 1<<(32-1) | 1<<(33-1)

// disturbed tells whether a signal may interrupt a call of a process that waits. What
// cannot be read is.
func disturbed(pid uint32) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return true // gone
	}
	return handled(string(status)) != 0
}

// handled reads which signals that matter here a process handles, from its
// /proc/PID/status.
func handled(status string) uint64 {
	_, line, _ := strings.Cut(status, "\nSigCgt:\t")
	line, _, _ = strings.Cut(line, "\n")
	all, err := strconv.ParseUint(line, 16, 64)
	if err != nil {
		return 1 // cannot happen; as if it handled one
	}
	return all &^ calmSignals
}

// blocks tells whether calls on a file wait.
func blocks(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_NONBLOCK == 0
}
