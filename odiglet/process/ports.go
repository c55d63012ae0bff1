package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/internal/procfs"
)

// listening is the state TCP_LISTEN as /proc/PID/net/tcp spells it.
const listening = "0A"

// Listeners returns the processes that listen on a TCP port, in any network
// namespace that a process of this machine is in.
func Listeners(port int) ([]int, error) {
	pids, err := procfs.Host.PIDs()
	if err != nil {
		return nil, err
	}
	sockets := make(map[string]map[string]bool) // by network namespace
	var found []int
	for _, pid := range pids {
		dir := "/proc/" + strconv.Itoa(pid)
		ns, err := os.Readlink(dir + "/ns/net")
		if err != nil {
			continue // ended, or not ours to see
		}
		of, known := sockets[ns]
		if !known {
			of = listenersOf(dir+"/net", port)
			sockets[ns] = of
		}
		if len(of) > 0 && holdsSocket(dir+"/fd", of) {
			found = append(found, pid)
		}
	}
	return found, nil
}

// listenersOf returns the socket links ("socket:[123]") that listen on port in
// the network namespace of a /proc/PID/net.
func listenersOf(dir string, port int) map[string]bool {
	links := make(map[string]bool)
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(filepath.Join(dir, table))
		if err != nil {
			continue // no IPv6, or the process has ended
		}
		for _, inode := range parseListeners(f, port) {
			links["socket:["+inode+"]"] = true
		}
		f.Close()
	}
	return links
}

// parseListeners reads a table of /proc/PID/net and returns the inodes that
// listen on port.
func parseListeners(table io.Reader, port int) []string {
	suffix := fmt.Sprintf(":%04X", port)
	var inodes []string
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		fields := bytes.Fields(lines.Bytes())
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
		if len(fields) < 10 || string(fields[3]) != listening {
			continue
		}
		if strings.HasSuffix(string(fields[1]), suffix) {
			inodes = append(inodes, string(fields[9]))
		}
	}
	return inodes
}

func holdsSocket(dir string, links map[string]bool) bool {
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return false
	}
	for _, name := range names {
		if link, err := os.Readlink(filepath.Join(dir, name)); err == nil && links[link] {
			return true
		}
	}
	return false
}
