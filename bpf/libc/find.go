package libc

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// Place is a function in a file.
type Place struct {
	// Path leads to the library through the process's own root.
	Path string
	// Offset is in bytes, from the start of the file.
	Offset uint64
}

// Bounds for what a process may show us.
const (
	mapsMax    = 4 << 20  // bytes of /proc/PID/maps
	libraryMax = 64 << 20 // bytes of a C library; glibc has 2 MiB
	symbolsMax = 8 << 20  // bytes of its dynamic symbols; glibc has 75 kB
)

// Find returns where a function of the C library of a process begins. The error
// says what is missing: a static binary has no library.
func Find(pid uint32, function string) (Place, error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return Place{}, fmt.Errorf("finding the C library of process %d: %w", pid, err)
	}
	defer maps.Close()
	name, ok := mapped(io.LimitReader(maps, mapsMax))
	if !ok {
		return Place{}, fmt.Errorf("process %d has no C library", pid)
	}
	lib := fmt.Sprintf("/proc/%d/root%s", pid, name)
	offset, err := offsetOf(lib, function)
	if err != nil {
		return Place{}, fmt.Errorf("finding %s in %s: %w", function, lib, err)
	}
	return Place{Path: lib, Offset: offset}, nil
}

// mapped returns the path of the C library in a list of mappings (proc_pid_maps(5)).
func mapped(maps io.Reader) (name string, ok bool) {
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		_, file, found := strings.Cut(lines.Text(), "/")
		if base := path.Base(file); found && isLibc(base) {
			return "/" + file, true
		}
	}
	return "", false
}

// isLibc knows the files of glibc (libc.so.6, before 2.34 libc-2.31.so) and musl.
func isLibc(base string) bool {
	return base == "libc.so.6" || strings.HasPrefix(base, "libc-2.") && strings.HasSuffix(base, ".so") ||
		strings.HasPrefix(base, "ld-musl-") || strings.HasPrefix(base, "libc.musl-")
}

func offsetOf(lib, function string) (uint64, error) {
	f, err := os.Open(lib)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > libraryMax {
		return 0, errors.New("not a library")
	}
	bin, err := elf.NewFile(f)
	if err != nil {
		return 0, err
	}
	addr, err := symbol(bin, function)
	if err != nil {
		return 0, err
	}
	return fileOffset(bin, addr)
}

// symbol returns the address of an exported function.
func symbol(bin *elf.File, function string) (uint64, error) {
	if s := bin.SectionByType(elf.SHT_DYNSYM); s == nil || s.Size > symbolsMax {
		return 0, errors.New("no dynamic symbols, or too many")
	}
	symbols, err := bin.DynamicSymbols()
	if err != nil {
		return 0, err
	}
	for _, s := range symbols {
		if s.Name == function && elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section != elf.SHN_UNDEF {
			return s.Value, nil
		}
	}
	return 0, errors.New("no such function")
}

// fileOffset turns an address into an offset in the file.
func fileOffset(bin *elf.File, addr uint64) (uint64, error) {
	for _, p := range bin.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return addr - p.Vaddr + p.Off, nil
		}
	}
	return 0, fmt.Errorf("address %#x is in no executable segment", addr)
}
