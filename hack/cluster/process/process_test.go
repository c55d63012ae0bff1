package process

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEnsureStartsOnceAndStopEnds(t *testing.T) {
	records := Records(t.TempDir())
	spec := Spec{Name: "sleeper", Argv: []string{"/bin/sleep", "60"}}
	if err := records.Ensure(spec); err != nil {
		t.Fatal(err)
	}
	first := load(t, records)
	if err := records.Ensure(spec); err != nil {
		t.Fatal(err)
	}
	if second := load(t, records); second.PID != first.PID {
		t.Errorf("the same program was started again: process %d, then %d", first.PID, second.PID)
	}
	spec.Inputs = "changed"
	if err := records.Ensure(spec); err != nil {
		t.Fatal(err)
	}
	if third := load(t, records); third.PID == first.PID || first.Alive() {
		t.Error("a program whose inputs changed was not replaced")
	}
	if err := records.Stop("sleeper", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if records.Running("sleeper") {
		t.Error("the program still runs")
	}
	if _, err := records.Load("sleeper"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record is still there: %v", err)
	}
}

func load(t *testing.T, records Records) Record {
	t.Helper()
	record, err := records.Load("sleeper")
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	records := Records(t.TempDir())
	if err := records.Ensure(Spec{Name: "sleeper", Argv: []string{"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"}}); err != nil {
		t.Fatal(err)
	}
	wait(5*time.Second, func() bool { return records.tail("sleeper", 1) == "ready" })
	if err := records.Stop("sleeper", 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

func TestOtherProcessWithTheSameIDIsLeftAlone(t *testing.T) {
	records := Records(t.TempDir())
	if err := records.Ensure(Spec{Name: "sleeper", Argv: []string{"/bin/sleep", "60"}}); err != nil {
		t.Fatal(err)
	}
	record := load(t, records)
	t.Cleanup(func() { _ = syscall.Kill(record.PID, syscall.SIGKILL) })
	forged := record
	forged.Started--
	if err := records.save(forged); err != nil {
		t.Fatal(err)
	}
	if err := records.Stop("sleeper", time.Second); err != nil {
		t.Fatal(err)
	}
	if !record.Alive() {
		t.Error("a process was ended that started at another time than the recorded one")
	}
}

func TestDeadProgramsAreNamedWithTheEndOfTheirLog(t *testing.T) {
	records := Records(t.TempDir())
	if err := records.Ensure(Spec{Name: "sleeper", Argv: []string{"/bin/sh", "-c", "echo no such luck; exit 3"}}); err != nil {
		t.Fatal(err)
	}
	wait(5*time.Second, func() bool { return !records.Running("sleeper") })
	err := records.Dead("sleeper")
	if err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("got %v, want what the program said", err)
	}
}

func TestStatLineIsParsedWhateverTheCommandIsCalled(t *testing.T) {
	state, started, err := parseStat("42 (a) b) (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 7 8 9")
	if err != nil || state != "S" || started != 123456 {
		t.Errorf("got %q, %d, %v; want S, 123456", state, started, err)
	}
	if _, _, err := parseStat("42 (short) S 1"); err == nil {
		t.Error("a line that is too short was accepted")
	}
}
