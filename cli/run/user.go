package run

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/odi-dev/odi/cli/exit"
)

// caller is the user who called sudo: odi needs its rights, the command does not.
type caller struct {
	name, home string
	uid, gid   uint32
	groups     []uint32
}

// account is what a machine knows of a user.
type account struct {
	name, home string
	groups     []string
}

// accounts finds a user by number; an error means that there is none.
type accounts func(uid string) (account, error)

// whoCalledSudo reads what sudo leaves in the environment. It is nil where sudo was not
// called, or by root; then the command runs as odi does.
func whoCalledSudo(lookup func(string) (string, bool), euid int, find accounts) (*caller, error) {
	uidText, called := lookup("SUDO_UID")
	if !called || euid != 0 {
		return nil, nil
	}
	uid, err := parseID("SUDO_UID", uidText)
	if err != nil || uid == 0 {
		return nil, err
	}
	gidText, _ := lookup("SUDO_GID")
	gid, err := parseID("SUDO_GID", gidText)
	if err != nil {
		return nil, err
	}
	found, err := find(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil, exit.Usagef("odi run: SUDO_UID is %d, which is no user of this machine (%w); %s", uid, err, asRootAdvice)
	}
	c := &caller{name: found.name, home: found.home, uid: uid, gid: gid, groups: []uint32{gid}}
	for _, text := range found.groups {
		group, err := parseID("a group of "+found.name, text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(c.groups, group) {
			c.groups = append(c.groups, group)
		}
	}
	return c, nil
}

const asRootAdvice = "to run the command as root, say so: --as-root"

// parseID takes the number of a user or group. The largest one means "leave it as it
// is" to the kernel: the command would stay root.
func parseID(what, text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == math.MaxUint32 {
		return 0, exit.Usagef("odi run: %s is %q, which is no number of a user or group; %s", what, text, asRootAdvice)
	}
	return uint32(id), nil
}

// become makes the command the caller's. A nil caller leaves it as it is.
func (c *caller) become(cmd *exec.Cmd, attributes *syscall.SysProcAttr) {
	if c == nil {
		return
	}
	attributes.Credential = &syscall.Credential{Uid: c.uid, Gid: c.gid, Groups: c.groups}
	// sudo has set these to root's.
	cmd.Env = append(os.Environ(), "HOME="+c.home, "USER="+c.name, "LOGNAME="+c.name)
}

// nameServicePatience bounds the question to a directory that may be away.
const nameServicePatience = 5 * time.Second

// onThisMachine looks into /etc/passwd and /etc/group, and then asks the name service,
// which knows users of a directory, too: Go without libc cannot.
func onThisMachine(uid string) (account, error) {
	if u, err := user.LookupId(uid); err == nil {
		groups, err := u.GroupIds()
		return account{u.Username, u.HomeDir, groups}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), nameServicePatience)
	defer cancel()
	entry, err := exec.CommandContext(ctx, "getent", "passwd", uid).Output()
	if err != nil {
		return account{}, fmt.Errorf("neither /etc/passwd nor getent knows it: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(string(entry)), ":") // name:password:uid:gid:text:home:shell
	if len(fields) < 7 || fields[2] != uid {
		return account{}, fmt.Errorf("getent answers %q", entry)
	}
	groups, err := exec.CommandContext(ctx, "id", "-G", "--", fields[0]).Output()
	if err != nil {
		return account{}, fmt.Errorf("asking for the groups of %s: %w", fields[0], err)
	}
	return account{fields[0], fields[5], strings.Fields(string(groups))}, nil
}
