package requests

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestWhenARequestIsAnswered(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	answered := func(value string, ago time.Duration) odiv1.TestRequest {
		return odiv1.TestRequest{Value: value, AnsweredAt: metav1.NewTime(now.Add(-ago))}
	}
	for name, tc := range map[string]struct {
		request  string
		latest   odiv1.TestRequest
		unjudged bool
		wantWait time.Duration
		wantDue  bool
	}{
		"nobody asks":                   {},
		"the first":                     {request: "1", wantDue: true},
		"one that was answered":         {request: "1", latest: answered("1", time.Hour)},
		"another":                       {request: "2", latest: answered("1", time.Hour), wantDue: true},
		"another, soon after":           {request: "2", latest: answered("1", 20*time.Second), wantWait: 40 * time.Second},
		"after a clock was set back":    {request: "2", latest: answered("1", -time.Hour), wantWait: rest},
		"a Destination nobody judged":   {request: "1", unjudged: true, wantWait: judged},
		"a value that nobody answers":   {request: strings.Repeat("x", longest+1)},
		"one that was taken back again": {latest: answered("1", time.Hour)},
	} {
		if wait, due := next(tc.request, tc.latest, tc.unjudged, now); wait != tc.wantWait || due != tc.wantDue {
			t.Errorf("%s: %s, %t", name, wait, due)
		}
	}
}
