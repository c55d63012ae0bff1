package export

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestPause(t *testing.T) {
	b := Backoff{First: time.Second, Longest: 8 * time.Second, Spent: time.Minute}
	again := &refusal{again: true, err: errors.New("busy")}
	for name, tc := range map[string]struct {
		n     int
		err   error
		since time.Duration
		want  time.Duration
		stop  bool
	}{
		"the first pause":                          {n: 1, err: again, want: time.Second},
		"the pause doubles":                        {n: 3, err: again, want: 4 * time.Second},
		"up to the longest":                        {n: 30, err: again, want: 8 * time.Second},
		"the receiver's wish wins if longer":       {n: 1, err: &refusal{again: true, after: 20 * time.Second, err: again}, want: 20 * time.Second},
		"but not if shorter":                       {n: 3, err: &refusal{again: true, after: time.Second, err: again}, want: 4 * time.Second},
		"a refusal for good":                       {n: 1, err: &refusal{err: errors.New("bad")}, stop: true},
		"the time is spent":                        {n: 9, err: again, since: 55 * time.Second, stop: true},
		"a wish beyond the time":                   {n: 1, err: &refusal{again: true, after: time.Hour, err: again}, stop: true},
		"an error that no transport made is final": {n: 1, err: errors.New("odd"), stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := b.pause(tc.n, tc.err, tc.since)
			if ok == tc.stop || got != tc.want {
				t.Errorf("pause = %v, %v; want %v, %v", got, ok, tc.want, !tc.stop)
			}
		})
	}
}

func TestJitterNeverShortensAPause(t *testing.T) {
	for range 1000 {
		if d := jitter(time.Second); d < time.Second || d > 1250*time.Millisecond {
			t.Fatalf("jitter(1s) = %v", d)
		}
	}
}

func TestRetryableCode(t *testing.T) {
	exhausted := status.New(codes.ResourceExhausted, "slow down")
	told, err := exhausted.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		status *status.Status
		again  bool
		after  time.Duration
	}{
		"unavailable":                      {status: status.New(codes.Unavailable, ""), again: true},
		"deadline":                         {status: status.New(codes.DeadlineExceeded, ""), again: true},
		"data loss":                        {status: status.New(codes.DataLoss, ""), again: true},
		"exhausted without a word":         {status: exhausted},
		"exhausted, and told when to come": {status: told, again: true, after: 7 * time.Second},
		"invalid argument":                 {status: status.New(codes.InvalidArgument, "")},
		"unauthenticated":                  {status: status.New(codes.Unauthenticated, "")},
		"unimplemented":                    {status: status.New(codes.Unimplemented, "")},
	} {
		t.Run(name, func(t *testing.T) {
			again, after := retryableCode(tc.status)
			if again != tc.again || after != tc.after {
				t.Errorf("got %v, %v; want %v, %v", again, after, tc.again, tc.after)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":     0,
		"3":    3 * time.Second,
		"-3":   0,
		"soon": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", header, got, want)
		}
	}
}
