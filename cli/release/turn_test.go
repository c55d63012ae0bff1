package release

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// take fails where the turn cannot be had.
func take(t *testing.T, ctx context.Context, c client.Client, command string) *Turn {
	t.Helper()
	turn, err := takeTurn(ctx, c, "odi-system", command)
	if err != nil || turn == nil {
		t.Fatalf("no turn: %v", err)
	}
	return turn
}

// TestOneOdiAtATime works on a clock of its own.
func TestOneOdiAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewClientBuilder().Build()
		first := take(t, t.Context(), c, "odi install")
		if first.Former != "" {
			t.Errorf("there was %s before the first", first.Former)
		}
		time.Sleep(time.Minute) // A long installation goes on saying that it is alive.
		_, err := takeTurn(t.Context(), c, "odi-system", "odi upgrade")
		if err == nil || !strings.Contains(err.Error(), "odi install of ") || !strings.Contains(err.Error(), "wait until it is done") {
			t.Fatalf("the second gets %v", err)
		}
		first.End(t.Context())
		err = c.Get(t.Context(), client.ObjectKey{Namespace: "odi-system", Name: turnName}, &coordinationv1.Lease{})
		if !apierrors.IsNotFound(err) {
			t.Fatalf("the turn was not given back: %v", err)
		}
		take(t, t.Context(), c, "odi upgrade").End(t.Context())
	})
}

func TestTheTurnOfADeadOdiIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewClientBuilder().Build()
		ctx, die := context.WithCancel(t.Context())
		take(t, ctx, c, "odi install")
		die()
		begin := time.Now()
		second := take(t, t.Context(), c, "odi upgrade")
		if !strings.HasPrefix(second.Former, "odi install of ") {
			t.Errorf("the former is %q", second.Former)
		}
		if waited := time.Since(begin); waited < renewEvery*2 {
			t.Errorf("it took the turn after %s, in which a living one may be silent", waited)
		}
		second.End(t.Context())
	})
}

func TestWhatIsCutOff(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		age  time.Duration
		turn *Turn
		want bool
	}{
		"Helm's own, just begun":                     {age: time.Minute, turn: &Turn{}},
		"Helm's own, long ago":                       {age: cutOffAfter, turn: &Turn{}, want: true},
		"that of an odi which is silent":             {age: time.Second, turn: &Turn{Former: "odi install"}, want: true},
		"nobody may look whether an odi lives":       {age: time.Minute},
		"nobody may look, but it is long ago":        {age: time.Hour, want: true},
		"from the future, by a clock that goes fast": {age: -time.Hour, turn: &Turn{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := State{Unfinished: "upgrade", Since: now.Add(-tc.age)}.cutOff(tc.turn, "odi upgrade", now)
			if (err == nil) != tc.want {
				t.Errorf("got %v, want cut off: %t", err, tc.want)
			}
		})
	}
}
