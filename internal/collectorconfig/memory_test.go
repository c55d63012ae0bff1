package collectorconfig

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/authority"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/peers"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestBothMarksOfMemoryComeFromTheContainersLimit runs the collector as a
// container with a limit and reads in its log what each of the two makes of it.
func TestBothMarksOfMemoryComeFromTheContainersLimit(t *testing.T) {
	testkit.NeedRoot(t)
	const limit = 200 << 20
	group := limitedGroup(t, limit)
	l := newLive(t)
	l.writeAll(t, peers.New(t, authority.ToGateway).Server(t, gatewayHost))
	l.use(t, gateway(t))
	var log bytes.Buffer
	cmd := program.Command(t, "sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, group,
		odicollector.Binary(t), "--config=live:"+filepath.Join(l.dir, "config.yaml"))
	cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + l.dir}
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, "the collector is healthy", l.healthy)
	_ = cmd.Process.Signal(syscall.SIGTERM) // Wait says how it went.
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the collector ended with %v:\n%s", err, log.String())
	}
	var collect, refuse int64
	for line := range strings.Lines(log.String()) {
		var said struct {
			Message string `json:"msg"`
			Bytes   int64  `json:"bytes"`
			Limit   int64  `json:"limit_mib"`
			Spike   int64  `json:"spike_limit_mib"`
		}
		if json.Unmarshal([]byte(line), &said) != nil {
			continue
		}
		if said.Bytes > 0 {
			collect = said.Bytes
		}
		if said.Limit > 0 {
			refuse = (said.Limit - said.Spike) << 20
		}
	}
	if collect < limit/2 || collect+limit/20 > refuse || refuse+limit/5 > limit {
		t.Errorf("of %d bytes Go collects garbage from %d on, and data is refused from %d on:\n%s", limit, collect, refuse, log.String())
	}
	t.Logf("of %d MiB: garbage from %d MiB on, refused from %d MiB on", limit>>20, collect>>20, refuse>>20)
}

// limitedGroup makes a cgroup with a limit of memory, of the version that the machine has.
func limitedGroup(t *testing.T, limit int) string {
	t.Helper()
	tree, file := "/sys/fs/cgroup", "memory.max"
	if _, err := os.Stat(filepath.Join(tree, "memory", "memory.limit_in_bytes")); err == nil {
		tree, file = filepath.Join(tree, "memory"), "memory.limit_in_bytes"
	}
	group := filepath.Join(tree, "odi-memory-test")
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(limit)), 0o600); err != nil {
		t.Fatal(err)
	}
	return group
}
