package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pkg is a package's tar: usr-merge and not, a hard link, documentation, times and owners.
func pkg(t *testing.T) *tar.Reader {
	t.Helper()
	var content bytes.Buffer
	out := tar.NewWriter(&content)
	for _, header := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
		{Typeflag: tar.TypeDir, Name: "./bin/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "./bin/z", Mode: 0o4755, Size: 1, Uid: 7},
		{Typeflag: tar.TypeLink, Name: "./bin/a", Linkname: "./bin/z", Mode: 0o755},
		{Typeflag: tar.TypeSymlink, Name: "./usr/bin/s", Linkname: "z", Mode: 0o777},
		{Typeflag: tar.TypeReg, Name: "./usr/share/doc/z/copyright", Size: 1},
	} {
		header.ModTime = time.Now()
		if err := out.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(make([]byte, header.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return tar.NewReader(&content)
}

func layer(t *testing.T) []byte {
	t.Helper()
	tree, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = errors.Join(
		tree.AddLink("bin", "usr/bin"),
		tree.addTar(pkg(t), wanted),
		tree.Add("/etc/passwd", 0o644, strings.NewReader("old")),
		tree.Add("/etc/passwd", 0o644, strings.NewReader("newer")))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tree.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestLayerDependsOnItsFilesOnly(t *testing.T) {
	first := layer(t)
	time.Sleep(10 * time.Millisecond)
	if !bytes.Equal(first, layer(t)) {
		t.Error("the same files gave two layers")
	}
}

func TestLayerHoldsWhatWasAdded(t *testing.T) {
	var got []string
	in := tar.NewReader(bytes.NewReader(layer(t)))
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		line := header.FileInfo().Mode().String() + " " + header.Name
		if header.Linkname != "" {
			line += " -> " + header.Linkname
		}
		if header.Uid != 0 || header.ModTime.Unix() > 0 {
			t.Errorf("%s has owner %d and time %s", header.Name, header.Uid, header.ModTime)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if header.Name == "etc/passwd" {
			line += " = " + string(content)
		}
		got = append(got, line)
	}
	want := []string{
		"Lrwxrwxrwx bin -> usr/bin",
		"drwxr-xr-x etc/",
		"-rw-r--r-- etc/passwd = newer",
		"drwxr-xr-x usr/",
		"drwxr-xr-x usr/bin/",
		"Lrwxrwxrwx usr/bin/s -> z",
		"urwxr-xr-x usr/bin/z",
		"-rwxr-xr-x usr/bin/a -> usr/bin/z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
