package procfs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Parent is the pid of the parent, 0 for the first process of the machine or of a container's own view.
func (p *Process) Parent() (int, error) {
	b, err := p.read("stat", maxSmall)
	if err != nil {
		return 0, err
	}
	return parseParent(b)
}

// parseParent finds field 4 of /proc/PID/stat; see parseStartTime for the parentheses.
func parseParent(stat []byte) (int, error) {
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 2 {
		return 0, fmt.Errorf("reading parent: %w", errMalformed)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, fmt.Errorf("reading parent: %w", err)
	}
	return parent, nil
}
