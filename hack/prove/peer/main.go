package peer

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/odi-dev/odi/hack/prove/script"
)

// RoleEnv makes this program a peer: "server FAMILY WIDTH" or "client FAMILY PORT...".
const RoleEnv = "ODI_PROVE_PEER"

// Main plays a role and ends the process, if the environment asks for one. It is to
// be called first thing.
func Main() {
	role := strings.Fields(os.Getenv(RoleEnv))
	if len(role) < 3 {
		return
	}
	if err := play(role); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func play(role []string) error {
	connect, width, err := endpoints(role)
	if err != nil {
		return err
	}
	// Nobody waits for the runtime when a call returns: for a processor, or for the
	// others to stop.
	runtime.GOMAXPROCS(width + 4)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var failed error
	queues := make([]chan *script.Side, width)
	out := bufio.NewWriter(os.Stdout)
	for i := range queues {
		queues[i] = make(chan *script.Side, 4)
		workers.Go(func() {
			runtime.LockOSThread()
			buffer := make([]byte, 1<<20)
			for side := range queues[i] {
				result := run(side, buffer, func() (int, uint32, error) { return connect(i) })
				mu.Lock()
				if err := result.WriteLine(out); err != nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	err = deal(queues)
	for _, q := range queues {
		close(q)
	}
	workers.Wait()
	if err == nil {
		err = failed
	}
	if err == nil {
		err = out.Flush()
	}
	return err
}

// deal gives the scripts to the workers by their ids.
func deal(queues []chan *script.Side) error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		if _, err := in.Peek(1); err != nil {
			return nil
		}
		side, err := script.Read(in)
		if err != nil {
			return err
		}
		queues[int(side.ID)%len(queues)] <- side
	}
}
