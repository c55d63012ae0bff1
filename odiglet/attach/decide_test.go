package attach

import "testing"

func TestDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		verdict  Verdict
		detected bool
		want     step
	}{
		"nobody asks":                      {Verdict{}, false, stepLeave},
		"nobody asks any more":             {Verdict{}, true, stepLeave},
		"selected and not known":           {Verdict{Attach: true}, false, stepLook},
		"selected and known":               {Verdict{Attach: true, Detect: true}, true, stepWatch},
		"asked about and not known":        {Verdict{Detect: true}, false, stepLookOnly},
		"asked about and known: no target": {Verdict{Detect: true}, true, stepLeave},
		"selected, asked about, not known": {Verdict{Attach: true, Detect: true}, false, stepLook},
	} {
		if got := decide(tc.verdict, tc.detected); got != tc.want {
			t.Errorf("%s: step %d, want %d", name, got, tc.want)
		}
	}
}
