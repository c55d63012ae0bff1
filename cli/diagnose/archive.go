package diagnose

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	// maxArchive is the whole file, compressed; indexRoom of it is kept for the index.
	maxArchive, indexRoom = 20 << 20, 512 << 10
	// maxFile is one file in it, not compressed.
	maxFile = 4 << 20
	// maxIndexed is how many entries of what is missing the index names.
	maxIndexed = 1000
)

// part is one file of the archive, or why it is missing.
type part struct {
	file string
	data []byte
	// end says that of what is too large the end is kept: the last lines of a log are those of the trouble.
	end bool
	// why is set where there is no data.
	why string
}

// index says what is in an archive.
type index struct {
	Made    time.Time `json:"made"`
	Files   []entry   `json:"files"`
	Missing []absence `json:"missing"`
}

type entry struct {
	File  string `json:"file"`
	Bytes int    `json:"bytes"`
	// Cut is how many bytes were left out.
	Cut int `json:"cut,omitempty"`
}

type absence struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// pack writes the archive: files in the given order until there is no room, then the index.
func pack(to io.Writer, parts []part, now time.Time) (missing int, err error) {
	counted := &counter{to: to}
	zip := gzip.NewWriter(counted)
	archive := tar.NewWriter(zip)
	in := index{Made: now.UTC(), Files: []entry{}, Missing: []absence{}}
	for _, p := range parts {
		if p.why != "" {
			in.Missing = append(in.Missing, absence{p.file, p.why})
			continue
		}
		// What is compressed is never larger than it was by more than the room of the index.
		room := min(maxFile, maxArchive-indexRoom-counted.n)
		kept := cut(p, room)
		if len(kept) == 0 && len(p.data) > 0 {
			in.Missing = append(in.Missing, absence{p.file, "the archive is full"})
			continue
		}
		if err := put(archive, p.file, kept, now); err != nil {
			return 0, err
		}
		// What was written so far is only known once it is out.
		if err := zip.Flush(); err != nil {
			return 0, err
		}
		in.Files = append(in.Files, entry{File: p.file, Bytes: len(kept), Cut: len(p.data) - len(kept)})
	}
	missing = len(in.Missing)
	in.Missing = in.Missing[:min(missing, maxIndexed)]
	data, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		return 0, err
	}
	if err := put(archive, "index.json", data, now); err != nil {
		return 0, err
	}
	if err := archive.Close(); err != nil {
		return 0, err
	}
	return missing, zip.Close()
}

// cut leaves so much of a file, in whole lines where it has lines.
func cut(p part, room int) []byte {
	const leastUse = 4 << 10 // less of a file tells nobody anything
	switch {
	case len(p.data) <= room:
		return p.data
	case room < leastUse:
		return nil
	case p.end:
		kept := p.data[len(p.data)-room:]
		_, rest, found := strings.Cut(string(kept), "\n")
		if found {
			return []byte(rest)
		}
		return kept
	}
	kept := p.data[:room]
	if last := strings.LastIndexByte(string(kept), '\n'); last > 0 {
		kept = kept[:last+1]
	}
	return kept
}

func put(archive *tar.Writer, name string, data []byte, now time.Time) error {
	header := &tar.Header{Name: "odi-diagnose/" + name, Mode: 0o600, Size: int64(len(data)), ModTime: now, Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err := archive.Write(data)
	return err
}

// ordered puts what tells most first, since the archive may be full before all is in it.
func ordered(parts []part) []part {
	rank := func(p part) int {
		for i, folder := range []string{"versions", "checks", "objects/", "values", "events", "nodes/", "metrics/", "logs/"} {
			if strings.HasPrefix(p.file, folder) {
				return i
			}
		}
		return len(p.file)
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.file, b.file)
	})
	return parts
}
