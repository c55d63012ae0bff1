package procfs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	deletedMark    = " (deleted)"
	maxMappedFiles = 8192 // beyond this a process maps data files, and libraries were met long before
	maxMapsLine    = 8192 // an escaped path can be longer than PATH_MAX
	maxVariables   = 8192
)

var errMalformed = errors.New("malformed")

// parseStartTime finds field 22 of /proc/PID/stat. The second field is the command in parentheses, which
// the process chooses: it may hold spaces and parentheses, so counting starts behind the last one.
func parseStartTime(stat []byte) (uint64, error) {
	const afterCommand = 22 - 3
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, fmt.Errorf("reading process start: %w", errMalformed)
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) <= afterCommand {
		return 0, fmt.Errorf("reading process start: %w", errMalformed)
	}
	start, err := strconv.ParseUint(fields[afterCommand], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading process start: %w", err)
	}
	return start, nil
}

// parseMaps collects the file names of /proc/PID/maps.
func parseMaps(r io.Reader) []string {
	seen := map[string]bool{}
	last := ""
	lines := bufio.NewReaderSize(r, maxMapsLine)
	for len(seen) < maxMappedFiles {
		line, err := lines.ReadSlice('\n')
		if name := mappedFile(line); name != last && name != "" {
			last = name
			seen[name] = true
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	files := make([]string, 0, len(seen))
	for name := range seen {
		files = append(files, name)
	}
	slices.Sort(files)
	return files
}

// mappedFile returns the file of one line of maps, or "" for memory without one.
// A line is: address perms offset dev inode, blanks, path.
func mappedFile(line []byte) string {
	for range 5 {
		_, rest, ok := bytes.Cut(line, []byte(" "))
		if !ok {
			return ""
		}
		line = rest
	}
	line = bytes.TrimSuffix(bytes.TrimLeft(line, " "), []byte("\n"))
	if len(line) == 0 || line[0] != '/' {
		return "" // [heap], anon_inode:..., or nothing
	}
	name := strings.TrimSuffix(string(line), deletedMark)
	return strings.ReplaceAll(name, `\012`, "\n") // the one byte that the kernel escapes here
}

// ParseEnviron splits NAME=value entries; see Process.Environ. The first of two equal names wins, as in libc.
func ParseEnviron(b []byte, keep func(string) bool) map[string]string {
	env := map[string]string{}
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		name, value, ok := bytes.Cut(entry, []byte("="))
		if !ok || len(name) == 0 {
			continue
		}
		if len(env) == maxVariables {
			break
		}
		key := string(name)
		if _, twice := env[key]; twice {
			continue
		}
		env[key] = ""
		if keep(key) {
			env[key] = string(value)
		}
	}
	return env
}

// parseSecure looks for AT_SECURE in an auxiliary vector of this machine's byte order, of 64-bit or of
// 32-bit words: the vector of a 64-bit process has a zero in every upper half of a type.
func parseSecure(auxv []byte) bool {
	const atSecure = 23
	if len(auxv) >= 8 && binary.NativeEndian.Uint32(auxv[4:]) == 0 {
		for ; len(auxv) >= 16; auxv = auxv[16:] {
			if binary.NativeEndian.Uint64(auxv) == atSecure {
				return binary.NativeEndian.Uint64(auxv[8:]) != 0
			}
		}
		return false
	}
	for ; len(auxv) >= 8; auxv = auxv[8:] {
		if binary.NativeEndian.Uint32(auxv) == atSecure {
			return binary.NativeEndian.Uint32(auxv[4:]) != 0
		}
	}
	return false
}

// splitNul splits a command line. Empty arguments are kept; what follows the last NUL is an argument that
// the process wrote over or that was cut.
func splitNul(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimSuffix(b, []byte{0})), "\x00")
}
