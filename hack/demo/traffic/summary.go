package traffic

import (
	"fmt"
	"slices"
	"time"
)

// Summary is what a person wants to know about a load.
type Summary struct {
	Requests, Failed int
	Median, P99      time.Duration
	// FirstFailure describes one failed request; empty when none failed.
	FirstFailure string
}

// Summarise counts results.
func Summarise(results []Result) Summary {
	s := Summary{Requests: len(results)}
	durations := make([]time.Duration, 0, len(results))
	for _, r := range results {
		durations = append(durations, r.Duration())
		if !r.Failed() {
			continue
		}
		s.Failed++
		if s.FirstFailure == "" {
			s.FirstFailure = fmt.Sprintf("%s: status %d %s", r.Marker, r.Status, r.Error)
		}
	}
	if len(durations) > 0 {
		slices.Sort(durations)
		s.Median = durations[len(durations)/2]
		s.P99 = durations[(len(durations)*99)/100]
	}
	return s
}

func (s Summary) String() string {
	text := fmt.Sprintf("%d requests, %d failed, median %s, p99 %s",
		s.Requests, s.Failed, s.Median.Round(100*time.Microsecond), s.P99.Round(100*time.Microsecond))
	if s.FirstFailure != "" {
		text += " (first failure: " + s.FirstFailure + ")"
	}
	return text
}
