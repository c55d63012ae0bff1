package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/cli/run"
	"github.com/odi-dev/odi/internal/testkit"
)

func TestMain(m *testing.M) {
	run.Canary()
	guard.Main()
	playRole()
	os.Exit(m.Run())
}

// TestAShortProof is `make prove-redaction` with one secret in each place.
func TestAShortProof(t *testing.T) {
	testkit.NeedRoot(t)
	var out strings.Builder
	o := options{seed: uint64(time.Now().UnixNano())}
	ok, err := o.prove(&out)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Error("secrets have left, or nothing was seen")
	}
	t.Log(out.String())
}

// TestJudgeFinds: what is found in spans is said, and so is what is missing.
func TestJudgeFinds(t *testing.T) {
	all := []hidden{{"http: path " + shown, "AbcdefghijklmnopqrstuvwX"}, {"redis: key", "Zbcd3fgh1jklmn0pqrstuvwY"}}
	mark := seen["http"] + seen["redis"]
	for name, tc := range map[string]struct {
		data string
		ok   bool
	}{
		"clean": {mark + all[0].Secret, true}, "a secret": {mark + all[0].Secret + all[1].Secret, false},
		"the search does not work": {mark, false}, "redis was not seen": {seen["http"] + all[0].Secret, false},
	} {
		var out strings.Builder
		if judge(&out, all, []told{{"spans", []byte(tc.data)}}) != tc.ok {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}
