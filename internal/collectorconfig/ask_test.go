package collectorconfig

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestAskingDisturbsNobody asks a destination ten times beside a gateway that sends to it: on the
// gateway's own files, in its network and among its folders.
func TestAskingDisturbsNobody(t *testing.T) {
	b := newBackend(t)
	b.start(t)
	g := startGateway(t, nil, laneTo(t, "odi-system", "d", b))
	before := folders(t, g.dir)
	asked := make(chan string)
	go func() {
		defer close(asked)
		for range 10 {
			cmd := program.CommandContext(t.Context(), t, odicollector.Binary(t), "ask", "--destination=odi-system/d",
				"--config=live:"+filepath.Join(g.dir, "config.yaml"))
			cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + g.dir, "ODI_ALLOW_ADDRESSES=127.0.0.1/32"}
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Contains(string(out), "DeadlineExceeded") {
				asked <- string(out)
			}
		}
	}()
	g.send(t, "shop", 20)
	for problem := range asked {
		t.Error(problem)
	}
	testkit.Eventually(t, 20*time.Second, "all data has arrived, and the marked spans", func() bool { return b.got("shop") >= 2000 && b.got("") >= 10 })
	if got := []int{b.got("shop"), b.got("")}; got[0] != 2000 || got[1] != 10 {
		t.Errorf("the backend has %d spans and %d marked ones, want 2000 and 10", got[0], got[1])
	}
	if after := folders(t, g.dir); after != before || !g.healthy() {
		t.Errorf("the gateway has the files %s, before %s", after, before)
	}
}

// folders are the names at the top of a folder.
func folders(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, " ")
}
