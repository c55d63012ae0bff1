package stage

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/odi-dev/odi/hack/prove/peer"
	"github.com/odi-dev/odi/hack/prove/script"
)

// player is a process that plays one side.
type player struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (p *player) pid() uint32 { return uint32(p.cmd.Process.Pid) }

// players are both.
type players struct {
	server, client *player
	ports          []uint32
}

func hire(cast Cast) (*players, error) {
	server, err := spawn(cast.Server, "server", cast.Family, strconv.Itoa(cast.Width))
	if err != nil {
		return nil, err
	}
	p := &players{server: server}
	line, err := server.out.ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	for _, s := range strings.Fields(line) {
		if cast.Family == peer.Unix {
			break
		}
		port, err := strconv.ParseUint(s, 10, 16)
		if err != nil {
			p.stop()
			return nil, fmt.Errorf("starting the server: it said %q", line)
		}
		p.ports = append(p.ports, uint32(port))
	}
	if p.client, err = spawn(cast.Client, append([]string{"client", cast.Family}, strings.Fields(line)...)...); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// spawn starts a peer: this program in a role, or the one in C.
func spawn(runtime string, role ...string) (*player, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	if runtime == C {
		if exe, err = peer.BuildC(); err != nil {
			return nil, err
		}
		cmd = exec.Command(exe, role...)
	}
	cmd.Env = append(os.Environ(), peer.RoleEnv+"="+strings.Join(role, " "))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a %s: %w", role[0], err)
	}
	return &player{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<16)}, nil
}

func (p *players) stop() {
	for _, one := range []*player{p.server, p.client} {
		if one != nil {
			_ = one.cmd.Process.Kill()
			_ = one.cmd.Wait()
		}
	}
}

// port is where the i-th conversation goes.
func (p *players) port(i int) uint32 { return p.ports[i%len(p.ports)] }

// longest bounds a performance.
const longest = 3 * time.Minute

// perform has both play n conversations, and returns the results by number.
func (p *players) perform(n int, render func(i int) (client, server *script.Side)) (clients, servers map[uint32]*script.Result, err error) {
	alarm := time.AfterFunc(longest, func() {
		_ = p.server.cmd.Process.Kill()
		_ = p.client.cmd.Process.Kill()
	})
	defer alarm.Stop()
	var group sync.WaitGroup
	errs := make([]error, 4)
	sides := [2]chan *script.Side{make(chan *script.Side, 8), make(chan *script.Side, 8)}
	for i, one := range []*player{p.client, p.server} {
		group.Go(func() { errs[i] = one.hand(sides[i]) })
	}
	group.Go(func() { clients, errs[2] = p.client.results() })
	group.Go(func() { servers, errs[3] = p.server.results() })
	for i := range n {
		client, server := render(i)
		sides[0] <- client
		sides[1] <- server
	}
	close(sides[0])
	close(sides[1])
	group.Wait()
	return clients, servers, errors.Join(errs...)
}

// hand gives the scripts to a process. All are taken even where it has ended.
func (p *player) hand(sides <-chan *script.Side) error {
	w := bufio.NewWriterSize(p.in, 1<<20)
	var failed error
	for side := range sides {
		if failed == nil {
			failed = side.Write(w)
		}
		if failed == nil && len(sides) == 0 {
			failed = w.Flush() // the other process may wait for it
		}
	}
	return errors.Join(failed, w.Flush(), p.in.Close())
}

func (p *player) results() (map[uint32]*script.Result, error) {
	all := map[uint32]*script.Result{}
	for lines := json.NewDecoder(p.out); ; {
		r := &script.Result{}
		err := lines.Decode(r)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("reading results: %w", err)
		}
		all[r.ID] = r
	}
}
