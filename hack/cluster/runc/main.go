// Command runc runs the real runc after it has taken, from what a container
// asks for, the capabilities that this machine itself does not have. Some
// machines (those inside a sandbox) lack CAP_SYS_RESOURCE, and runc refuses to
// start a container that asks for it. On all others nothing changes.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

const realRunc = "/usr/sbin/runc"

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "runc:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if missing := missing(); len(missing) > 0 {
		if path, key := spec(args); path != "" {
			if err := edit(path, key, missing); err != nil {
				return fmt.Errorf("taking capabilities away in %s: %w", path, err)
			}
		}
	}
	return syscall.Exec(realRunc, append([]string{realRunc}, args[1:]...), os.Environ())
}

// spec finds the file that says what is to be run, and the key in it: a
// container's, for create and run, or that of one more process, for exec.
func spec(args []string) (path, key string) {
	for i, arg := range args[:max(0, len(args)-1)] {
		switch arg {
		case "--bundle", "-b":
			return filepath.Join(args[i+1], "config.json"), "process"
		case "--process", "-p":
			return args[i+1], ""
		}
	}
	return "", ""
}

// edit removes capabilities from the process in a file; everything else stays as it is.
func edit(path, key string, missing []string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(content, &document); err != nil {
		return err
	}
	process := document
	if key != "" {
		process, _ = document[key].(map[string]any)
	}
	sets, _ := process["capabilities"].(map[string]any)
	for name, set := range sets {
		all, _ := set.([]any)
		sets[name] = slices.DeleteFunc(all, func(capability any) bool {
			text, _ := capability.(string)
			return slices.Contains(missing, text)
		})
	}
	if content, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// missing are the capabilities of the kernel that this process could never have.
func missing() []string {
	var all []string
	for number, name := range names() {
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(number), 0, 0, 0); err == nil && has == 0 {
			all = append(all, name)
		}
	}
	return all
}

// names are the capabilities by number, as in linux/capability.h.
func names() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
		"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
		"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
		"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
		"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
	}
}
