package exit

import "testing"

func TestMeant(t *testing.T) {
	commands := []string{"install", "uninstall", "instrument", "status", "describe", "destination", "check", "run"}
	for typed, want := range map[string]string{
		"statsu": "status", "instal": "install", "Status": "status", "desc": "describe", "dest": "destination",
		"destinatoin": "destination", "uninstal": "uninstall", "rnu": "run",
		"frobnicate": "", "": "", "x": "",
	} {
		if got := Meant(typed, commands); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}
