package node

import "testing"

func TestRootIsShared(t *testing.T) {
	tests := map[string]struct {
		mountinfo string
		want      bool
	}{
		"shared, as with systemd": {"22 27 0:21 / /proc rw - proc proc rw\n27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n", true},
		"shared and a slave":      {"27 1 8:1 / / rw master:3 shared:1 - ext4 /dev/sda1 rw\n", true},
		"private":                 {"22 27 0:21 / /proc rw shared:5 - proc proc rw\n27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n", false},
		"a device named so":       {"27 1 8:1 / / rw,relatime - ext4 shared:1 rw\n", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := rootIsShared(tc.mountinfo); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
