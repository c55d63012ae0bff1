package testkit

import "testing"

func TestOlderKernel(t *testing.T) {
	for release, wantOlder := range map[string]bool{
		"5.7.19": true, "4.19.0-26-amd64": true, "5.8.0": false, "5.15.0-91-generic": false, "6.1-rc3": false, "5.8": false,
	} {
		if got := olderKernel(release, "5.8"); got != wantOlder {
			t.Errorf("olderKernel(%s, 5.8) = %t", release, got)
		}
	}
}
