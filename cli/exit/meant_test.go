package exit

import (
	"testing"

	"github.com/spf13/pflag"
)

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

func TestFlagError(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.IntSlice("pid", nil, "")
	flags.Bool("quiet", false, "")
	for args, want := range map[string]string{
		"--pid=abc":                     `--pid: "abc" is no number`,
		"--pid=99999999999999999999999": `--pid: "99999999999999999999999" is out of range`,
		"--quiet=perhaps":               `--quiet: "perhaps" is neither true nor false`,
		"--nope":                        "unknown flag: --nope",
	} {
		if err := FlagError(flags.Parse([]string{args})); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}
