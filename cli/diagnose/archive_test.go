package diagnose

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// unpack reads an archive: files by their name, and the index.
func unpack(t *testing.T, data []byte) (map[string][]byte, index) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	archive := tar.NewReader(zip)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(header.Name, "odi-diagnose/")] = content
	}
	var in index
	if err := json.Unmarshal(files["index.json"], &in); err != nil {
		t.Fatal(err)
	}
	return files, in
}

// TestAnArchiveIsNeverLargerThanItMayBe: of 120 MB that cannot be compressed, what tells most is in it, and the
// index says what was cut and what is missing.
func TestAnArchiveIsNeverLargerThanItMayBe(t *testing.T) {
	noise := rand.New(rand.NewSource(1))
	var parts []part
	for i := range 12 {
		data := make([]byte, 10<<20)
		noise.Read(data)
		parts = append(parts, part{file: fmt.Sprintf("logs/p%02d/c.log", i), data: data, end: true})
	}
	parts = append(parts, part{file: "versions.json", data: []byte("{}")}, part{file: "checks.json", why: "no permission"})
	var out bytes.Buffer
	missing, err := pack(&out, ordered(parts), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if out.Len() > maxArchive || out.Len() < maxArchive*3/4 {
		t.Errorf("%d bytes of at most %d", out.Len(), maxArchive)
	}
	files, in := unpack(t, out.Bytes())
	if string(files["versions.json"]) != "{}" || len(in.Files)+len(in.Missing) != len(parts) || missing != len(in.Missing) || missing < 2 {
		t.Errorf("%d files, %d missing, of %d", len(in.Files), len(in.Missing), len(parts))
	}
	for _, e := range in.Files {
		if strings.HasPrefix(e.File, "logs/") && (e.Cut == 0 || e.Bytes > maxFile || e.Bytes != len(files[e.File])) {
			t.Errorf("%+v", e)
		}
	}
}

func TestCut(t *testing.T) {
	lines := strings.Repeat("0123456789abcde\n", 1024)
	for name, tc := range map[string]struct {
		end        bool
		room       int
		want, last string
	}{
		"the end of a log":    {true, 5000, "0123456789abcde\n", "abcde\n"},
		"the begin of others": {false, 5000, "0123456789abcde\n", "abcde\n"},
	} {
		kept := string(cut(part{data: []byte(lines), end: tc.end}, tc.room))
		if len(kept) > tc.room || !strings.HasPrefix(kept, tc.want) || !strings.HasSuffix(kept, tc.last) {
			t.Errorf("%s: %d bytes", name, len(kept))
		}
	}
	if kept := cut(part{data: []byte(lines)}, 100); kept != nil {
		t.Errorf("%d bytes of which nobody has any use", len(kept))
	}
	if kept := cut(part{data: []byte("short")}, 100); string(kept) != "short" {
		t.Errorf("got %q", kept)
	}
}

// TestPodsThatAreNotWellComeFirst of many that are alike.
func TestPodsThatAreNotWellComeFirst(t *testing.T) {
	pod := func(component string, ready corev1.ConditionStatus) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: component + string(ready), Labels: map[string]string{odiv1.LabelComponent: component}},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}}
	}
	var pods []corev1.Pod
	for range 100 {
		pods = append(pods, pod("odiglet", "True"))
	}
	pods = append(pods, pod("odiglet", "False"), pod("manager", "True"))
	chosen, left := choose(pods)
	if left != len(pods)-maxPods || chosen[0].Name != "managerTrue" || chosen[1].Name != "odigletFalse" {
		t.Errorf("%d left, first %s, %s", left, chosen[0].Name, chosen[1].Name)
	}
}
