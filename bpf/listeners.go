package bpf

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// listeners are the ports of a process's network namespace that somebody listens
// on. They are read when the first is asked for: the kernel walks the table of
// all connections of the machine for it, which takes milliseconds, and most
// processes have no connection open when they are met.
type listeners struct {
	pid   uint32
	ports map[int]bool
}

func listenersOf(pid uint32) *listeners { return &listeners{pid: pid} }

func (l *listeners) on(port int) bool {
	if l.ports == nil {
		l.ports = listeningPorts(l.pid)
	}
	return l.ports[port]
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
