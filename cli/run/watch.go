package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/odi-dev/odi/odiglet/host"
)

// portPause is the pace of looking for listeners: nothing tells when a process
// starts to listen, and looking reads the links of every open file.
const portPause = 500 * time.Millisecond

// watchPorts selects what listens on the ports, also when it starts later or again.
func (s *session) watchPorts(ctx context.Context) {
	if len(s.ports) == 0 {
		return
	}
	tick := time.NewTicker(portPause)
	defer tick.Stop()
	for {
		s.choosePorts()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *session) choosePorts() {
	news := false
	for _, port := range s.ports {
		listeners, err := host.Listeners(port)
		if err != nil {
			s.log.Error("looking for listeners", "port", port, "error", err)
			continue
		}
		for _, p := range listeners {
			news = s.selector.Choose(p) || news
		}
	}
	if news {
		s.odiglet.Manager().Reselect()
	}
}

// announce says what is traced, and what is not there yet.
func (s *session) announce() {
	for _, in := range s.odiglet.Manager().Instances() {
		switch {
		case in.Attached:
			fmt.Fprintf(s.io.Err, "tracing %s (pid %d%s)\n", in.Service, in.Process.PID, runtimeOf(string(in.Runtime.Language), in.Runtime.Version))
		case in.Error != "":
			fmt.Fprintf(s.io.Err, "not tracing pid %d: %s\n", in.Process.PID, in.Error)
		}
	}
	for _, port := range s.ports {
		if listeners, err := host.Listeners(port); err == nil && len(listeners) == 0 {
			fmt.Fprintf(s.io.Err, "waiting for a process that listens on port %d\n", port)
		}
	}
	for _, exe := range s.exes {
		if !s.anyAnswers(exe) {
			fmt.Fprintf(s.io.Err, "waiting for a process of %s\n", exe)
		}
	}
}

func (s *session) anyAnswers(exe string) bool {
	for _, in := range s.odiglet.Manager().Instances() {
		if in.Process.Answers(exe) {
			return true
		}
	}
	return false
}

func runtimeOf(language, version string) string {
	if language == "" {
		return ""
	}
	return ", " + strings.TrimSpace(language+" "+version)
}
