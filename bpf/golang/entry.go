package golang

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	atEntry = 9        // AT_ENTRY of getauxval(3)
	auxvMax = 16 << 10 // bytes; real vectors have about 400
)

// entryOf returns the address of the first instruction of a process's program.
// With the address as linked it tells what the kernel moved the program by. The
// kernel says it of the program that runs, whatever has become of its file.
func entryOf(pid uint32) (uint64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/auxv", pid))
	if err != nil {
		return 0, fmt.Errorf("finding the program in memory: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	auxv, err := io.ReadAll(io.LimitReader(f, auxvMax))
	if err != nil {
		return 0, fmt.Errorf("finding the program in memory: %w", err)
	}
	entry, ok := parseEntry(auxv)
	if !ok {
		return 0, errors.New("the kernel does not say where the program begins")
	}
	return entry, nil
}

// parseEntry reads pairs of 64-bit words, type and value.
func parseEntry(auxv []byte) (entry uint64, ok bool) {
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.NativeEndian.Uint64(auxv) == atEntry {
			return binary.NativeEndian.Uint64(auxv[8:]), true
		}
	}
	return 0, false
}
