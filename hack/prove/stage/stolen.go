package stage

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// stolen is for how long, over all cores, the machine's host has let it not run: the eighth number of
// the first line of /proc/stat, in hundredths of a second (man 5 proc_stat). Zero on a machine without a host.
func stolen() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	const steal = 8
	if len(fields) <= steal || fields[0] != "cpu" {
		return 0
	}
	hundredths, _ := strconv.ParseInt(fields[steal], 10, 64)
	return time.Duration(hundredths) * 10 * time.Millisecond
}
