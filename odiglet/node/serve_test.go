package node

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAStuckOdigletIsNotAlive(t *testing.T) {
	for busy, want := range map[time.Duration]int{
		0: http.StatusOK, time.Minute: http.StatusOK, stuckAfter: http.StatusOK, stuckAfter + time.Second: http.StatusServiceUnavailable,
	} {
		answer := httptest.NewRecorder()
		serveAlive(func() time.Duration { return busy })(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		if answer.Code != want {
			t.Errorf("busy for %s: %d, want %d", busy, answer.Code, want)
		}
	}
}
