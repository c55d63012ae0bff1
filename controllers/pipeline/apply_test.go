package pipeline

import (
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

func TestSettling(t *testing.T) {
	some := applied{Lanes: map[string]collectorconfig.Lane{"uid": {}}}
	tests := map[string]struct {
		have  applied
		since time.Duration
		want  time.Duration
	}{
		"the first Destination, right after the install": {applied{}, time.Millisecond, 0},
		"the second one, right behind the first":         {some, time.Second, 2 * time.Second},
		"a change after a while":                         {some, time.Minute, 3*time.Second - time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := settling(tc.have, tc.since); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
