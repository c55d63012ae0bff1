package host

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// need is a Linux capability that the engine uses, and for what.
type need struct {
	bit  uint
	name string
	what string
}

// needs are what remains when nothing is privileged beyond it.
func needs() []need {
	return []need{
		{39, "CAP_BPF", "load programs into the kernel"},
		{38, "CAP_PERFMON", "attach them"},
		{19, "CAP_SYS_PTRACE", "read other users' processes"},
		{12, "CAP_NET_ADMIN", "pass on trace context in requests"},
	}
}

// MissingCapabilities says which capabilities this process lacks, each with what
// it is for. Nil also means that it cannot be told.
func MissingCapabilities() []string {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return nil
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if hex, ok := strings.CutPrefix(lines.Text(), "CapEff:"); ok {
			return missing(strings.TrimSpace(hex))
		}
	}
	return nil
}

func missing(effective string) []string {
	set, err := strconv.ParseUint(effective, 16, 64)
	if err != nil {
		return nil
	}
	var lacking []string
	for _, n := range needs() {
		if set&(1<<n.bit) == 0 {
			lacking = append(lacking, n.name+" (to "+n.what+")")
		}
	}
	return lacking
}
