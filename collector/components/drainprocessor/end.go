package drainprocessor

import (
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// endedAt is when the process was told to end, in nanoseconds; 0 before. It is
// the process's, not a pipeline's, and a signal cannot be asked for twice.
var endedAt atomic.Int64

// listen begins to wait for the signal, once per process. The collector gets it as well.
var listen = sync.OnceFunc(func() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-told
		endedAt.Store(time.Now().UnixNano())
	}()
})

// moment is more than the signal takes from one of its receivers to the other.
const moment = 20 * time.Millisecond

func processEnds() bool {
	if endedAt.Load() == 0 {
		time.Sleep(moment)
	}
	return endedAt.Load() != 0
}

// end is when the process was told to end.
func end() time.Time { return time.Unix(0, endedAt.Load()) }
