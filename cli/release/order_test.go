package release

import "testing"

func TestCompare(t *testing.T) {
	tests := map[string]struct {
		a, b string
		want int
		// unknown means that nobody can say.
		unknown bool
	}{
		"the same":                                  {a: "0.1.0", b: "0.1.0"},
		"numbers are no text":                       {a: "0.10.0", b: "0.9.0", want: 1},
		"a leading v says nothing":                  {a: "v0.2.0", b: "0.2.0"},
		"a candidate comes before its release":      {a: "0.2.0-rc.1", b: "0.2.0", want: -1},
		"build metadata says nothing":               {a: "0.2.0+abc", b: "0.2.0"},
		"nor as a label":                            {a: "0.2.0_abc", b: "0.2.0"},
		"commits after a release come after it":     {a: "0.1.0-5-gabcdef0", b: "0.1.0", want: 1},
		"more commits come later":                   {a: "0.1.0-5-gabcdef0", b: "0.1.0-12-g1234567-dirty", want: -1},
		"commits after a candidate come after it":   {a: "0.2.0-rc.1-3-gabcdef0", b: "0.2.0-rc.1", want: 1},
		"commits do not reach the next release":     {a: "0.1.0-500-gabcdef0", b: "0.2.0", want: -1},
		"a development build has no place":          {a: "dev", b: "0.1.0", unknown: true},
		"nor has one without a version":             {a: "", b: "0.1.0", unknown: true},
		"two development builds of the same name":   {a: "dev", b: "dev"},
		"two development builds of different names": {a: "dev", b: "main", unknown: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, turn := range []struct {
				a, b string
				want int
			}{{tc.a, tc.b, tc.want}, {tc.b, tc.a, -tc.want}} {
				got, known := compare(turn.a, turn.b)
				if known == tc.unknown || got != turn.want {
					t.Errorf("compare(%q, %q) = %d, %t; want %d, %t", turn.a, turn.b, got, known, turn.want, !tc.unknown)
				}
			}
		})
	}
}
