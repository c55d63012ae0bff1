package procfs

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir returns the working directory as the process sees it, also when it was
// removed since.
func (p *Process) Dir() (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(p.fd(), "cwd", b)
	if err != nil {
		return "", fmt.Errorf("reading working directory of process %d: %w", p.pid, gone(err))
	}
	return strings.TrimSuffix(string(b[:n]), deletedMark), nil
}

// User returns the user whose rights the process has when it opens files. The owner
// of its entries in /proc would not do: a process can make that root.
func (p *Process) User() (uint32, error) {
	b, err := p.read("status", maxSmall)
	if err != nil {
		return 0, err
	}
	return parseUser(b)
}

// parseUser finds the fourth number of the line Uid: real, effective, saved, file system.
func parseUser(status []byte) (uint32, error) {
	for line := range strings.Lines(string(status)) {
		ids, ok := strings.CutPrefix(line, "Uid:")
		fields := strings.Fields(ids)
		if !ok || len(fields) < 4 {
			continue
		}
		id, err := strconv.ParseUint(fields[3], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("reading user: %w", err)
		}
		return uint32(id), nil
	}
	return 0, fmt.Errorf("reading user: %w", errMalformed)
}
