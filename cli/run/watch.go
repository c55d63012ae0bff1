package run

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/host"
)

const (
	// portPause is the pace of looking for listeners: nothing tells when a process
	// starts to listen.
	portPause = 500 * time.Millisecond
	// newsPause is the fastest pace of saying which processes are traced.
	newsPause = 100 * time.Millisecond
	// unlinkedPause is the pace of saying whose requests have no parents: it asks
	// the kernel about every process.
	unlinkedPause = 5 * time.Second
)

// watchPorts selects what listens on the ports, also when it starts later or again.
func (s *session) watchPorts(ctx context.Context) {
	if len(s.ports) == 0 {
		return
	}
	tick := time.NewTicker(portPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for i := range s.watched {
			if s.choosePort(&s.watched[i]) {
				s.odiglet.Manager().Reselect()
			}
		}
	}
}

// choosePort selects the processes that listen on a port. It says whether any is new.
func (s *session) choosePort(port *host.Port) (news bool) {
	listeners, err := port.Listeners(time.Now())
	if err != nil {
		s.log.Error("looking for listeners", "port", port.Number, "error", err)
	}
	for _, p := range listeners {
		news = s.selector.Choose(p) || news
	}
	return news
}

// choosePorts selects what listens now, and says what is waited for.
func (s *session) choosePorts() {
	for _, number := range s.ports {
		port := host.Port{Number: number}
		if !s.choosePort(&port) {
			fmt.Fprintf(s.io.Err, "waiting for a process that listens on port %d\n", number)
		}
		s.watched = append(s.watched, port)
	}
}

// announce says which processes are traced, as they come, until ctx ends.
func (s *session) announce(ctx context.Context) {
	said := make(map[int]string)      // by pid
	unlinked := make(map[string]bool) // by service
	s.announceNew(said)
	for _, exe := range s.exes {
		if !s.anyAnswers(exe) {
			fmt.Fprintf(s.io.Err, "waiting for a process of %s\n", exe)
		}
	}
	slow := time.NewTicker(unlinkedPause)
	defer slow.Stop()
	for {
		select {
		case <-s.news:
			s.announceNew(said)
		case <-slow.C:
			s.announceUnlinked(unlinked)
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(newsPause):
		case <-ctx.Done():
			return
		}
	}
}

// onNews has announce look again. It does not wait.
func (s *session) onNews() {
	select {
	case s.news <- struct{}{}:
	default: // told already
	}
}

// announceNew says what has not been said yet. Children of what is traced are
// left out: a shell script has hundreds.
func (s *session) announceNew(said map[int]string) {
	instances := s.odiglet.Manager().Instances()
	known := make(map[int]bool, len(instances))
	for _, in := range instances {
		known[in.Process.PID] = true
	}
	for _, in := range instances {
		text := announcement(in)
		if text == "" || known[in.Process.Parent] || said[in.Process.PID] == text {
			continue
		}
		said[in.Process.PID] = text
		fmt.Fprintln(s.io.Err, text)
	}
}

// announceUnlinked says which services encrypt so that nothing is seen, and of which no outgoing request
// has a parent, once each.
func (s *session) announceUnlinked(said map[string]bool) {
	why := make(map[int]string)
	for _, t := range s.odiglet.Targets() {
		why[int(t.PID)] = cmp.Or(t.UnreadNote(), t.Unlinked)
	}
	for _, in := range s.odiglet.Manager().Instances() {
		text := why[in.Process.PID]
		if text == "" || said[in.Service] {
			continue
		}
		said[in.Service] = true
		fmt.Fprintf(s.io.Err, "%s (pid %d) %s\n", output.Printable(in.Service), in.Process.PID, text)
	}
}

// announcement is empty while a process is neither traced nor refused.
func announcement(in attach.Instance) string {
	switch {
	case in.Attached:
		return fmt.Sprintf("tracing %s (pid %d%s)", output.Printable(in.Service), in.Process.PID, runtimeOf(in.Runtime.Label(), in.Runtime.Version))
	case in.Error != "":
		return fmt.Sprintf("not tracing pid %d: %s", in.Process.PID, in.Error)
	}
	return ""
}

func (s *session) anyAnswers(exe string) bool {
	for _, in := range s.odiglet.Manager().Instances() {
		if in.Process.Answers(exe) {
			return true
		}
	}
	return false
}

func runtimeOf(label, version string) string {
	if label == "" {
		return ""
	}
	return ", " + strings.TrimSpace(label+" "+version)
}
