package destination

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

const (
	// logTail and logSeconds hold what was logged since the look before, with room.
	logTail    = 500
	logSeconds = 30
	// longestLine is more than the collector logs at once.
	longestLine = 1 << 20
	// largestLog is more than logTail lines of the collector are.
	largestLog = 8 << 20
	// wordsTimeout bounds the whole reading: a node that is gone answers nothing, and the
	// observer has other pods to look at.
	wordsTimeout = 3 * time.Second
)

// podLogs finds the backend's words in the log of a gateway's pod: counters
// tell that data was refused, not why.
type podLogs struct {
	clientset kubernetes.Interface
	namespace string
}

func (p podLogs) words(ctx context.Context, pod, lane string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, wordsTimeout)
	defer cancel()
	tail, seconds := int64(logTail), int64(logSeconds)
	stream, err := p.clientset.CoreV1().Pods(p.namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: "collector", TailLines: &tail, SinceSeconds: &seconds,
	}).Stream(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the log of pod %s: %w", pod, err)
	}
	defer func() { _ = stream.Close() }() // It was read to its end.
	return lastRefusal(io.LimitReader(stream, largestLog), lane), ctx.Err()
}

// lastRefusal returns the latest words about data of a lane that were refused
// for good, or "".
func lastRefusal(log io.Reader, lane string) string {
	words := ""
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var line struct {
			Message   string `json:"msg"`
			Component string `json:"otelcol.component.id"`
			Error     string `json:"error"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || !strings.HasPrefix(line.Message, "Exporting failed. Dropping data") &&
			!strings.HasPrefix(line.Message, "Exporting failed. Rejecting data") {
			continue
		}
		if of, carries := collectorconfig.LaneOfExporter(line.Component); carries && of == lane {
			words = line.Error
		}
	}
	return words
}
