package collectorconfig

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestAKilledGatewayKeepsWhatWaits kills a gateway under load, as the kernel does
// when memory is short: what it had taken is there when it starts anew.
func TestAKilledGatewayKeepsWhatWaits(t *testing.T) {
	dead := newBackend(t)
	c := startChain(t) // For its certificates and its sender's; its own gateway ends at once.
	if err := c.ends["gateway"](); err != nil {
		t.Fatal(err)
	}
	c.gateway.use(t, gateway(t, laneTo(t, "odi-system", "dead", dead)))
	run := func() *exec.Cmd {
		cmd := program.Command(t, odicollector.Binary(t), "--config=live:"+filepath.Join(c.gateway.dir, "config.yaml"))
		cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + c.gateway.dir}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 20*time.Second, "the gateway is healthy", c.gateway.healthy)
		return cmd
	}
	l := startLoad(t, c.odiglet(t), 100, 20)
	for range 3 {
		cmd := run()
		time.Sleep(time.Second)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // It was killed.
	}
	want := l.end()
	dead.start(t)
	c.gateway.start(t)
	testkit.Eventually(t, 30*time.Second, "all that was taken is there", func() bool { return dead.got("shop") >= want })
	// A batch whose answer was cut off comes again: half a second of load for each kill.
	if got, most := dead.got("shop"), want+3*1000; got > most {
		t.Errorf("%d spans arrived of %d", got, want)
	}
	t.Logf("%d spans were taken, %d arrived", want, dead.got("shop"))
}
