package openssl

import (
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestExpect: what a program has loaded is expected of the next process that runs it, and of no other program.
func TestExpect(t *testing.T) {
	const says, waits = "import sys; print('.', flush=True)\n", "sys.stdin.read()\n"
	finder := NewFinder()
	expect := func(pid uint32, usual bool) (all []Place) {
		all, err := finder.Expect(pid, usual)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			_ = p.File.Close()
		}
		return all
	}
	first := started(t, program.Command(t, "python3", "-c", "import ssl\n"+says+waits))
	next := started(t, program.Command(t, "python3", "-c", says+waits))
	other := started(t, program.Command(t, "sh", "-c", "echo .; read -r end"))
	if got := expect(next, false); len(got) != 0 {
		t.Errorf("before anything is known of the program %v is expected", got)
	}
	found, err := finder.Find(first)
	if err != nil || len(found) != 1 {
		t.Fatalf("in the memory of the first are %v (%v)", found, err)
	}
	_ = found[0].File.Close()
	if got := expect(next, false); len(got) != 1 || got[0].Library != found[0].Library {
		t.Errorf("%v is expected of the next, want %v", got, found[0].Library)
	}
	if got := expect(other, false); len(got) != 0 {
		t.Errorf("%v is expected of another program", got)
	}
	if got := expect(other, true); len(got) == 0 || len(got) > placesMax {
		t.Errorf("%d libraries of the system are expected of another program", len(got))
	}
	if _, err := finder.Expect(1<<22+1, true); err == nil { // above what the kernel gives
		t.Error("a process that is not there is found")
	}
}
