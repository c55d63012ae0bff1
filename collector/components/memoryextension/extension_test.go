package memoryextension

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"go.uber.org/zap"
)

func TestGoGetsItsPartOfTheContainersLimit(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  int64
	}{
		"a container": {
			map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 536870912 / 100 * 65,
		},
		"the lowest of those above counts": {
			map[string]string{
				"proc/self/cgroup":                       "1:name=systemd:/x\n0::/pod/container\n",
				"sys/fs/cgroup/pod/memory.max":           "100000\n",
				"sys/fs/cgroup/pod/container/memory.max": "max\n",
			}, 65000,
		},
		"a container of version 1": {
			map[string]string{
				"proc/self/cgroup": "5:cpu:/kubepods/x\n4:memory:/kubepods/x\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "200000\n",
			}, 130000,
		},
		"no limit of version 1": {
			map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, unlimited,
		},
		"no limit":            {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, unlimited},
		"the root of a tree":  {map[string]string{"proc/self/cgroup": "0::/\n"}, unlimited},
		"no cgroup at all":    {map[string]string{"proc/self/cgroup": ""}, unlimited},
		"what is no number":   {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "much\n"}, unlimited},
		"a way out of groups": {map[string]string{"proc/self/cgroup": "0::/../../../x\n", "sys/fs/cgroup/memory.max": "100000"}, 65000},
	}
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			debug.SetMemoryLimit(unlimited)
			root := t.TempDir()
			for file, content := range tc.files {
				path := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l := &limiter{config: &Config{LimitPercentage: 65}, log: zap.NewNop(), root: root}
			if err := l.Start(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got := debug.SetMemoryLimit(-1); got != tc.want {
				t.Errorf("Go's limit is %d, want %d", got, tc.want)
			}
		})
	}
}
