// Package nodefacts holds what a node can do and has, as `odiglet facts` prints it
// in a short-lived pod and `odi check` reads it. It has no logic but its own bound.
package nodefacts

import (
	"encoding/json"
	"time"
)

// MaxBytes is what the kubelet keeps of a container's last message, in which the facts come.
const MaxBytes = 4096

// Facts are what was seen of one node. What could not be seen is missing, and Unseen says why.
type Facts struct {
	Kernel string `json:"kernel,omitempty"`
	Arch   string `json:"arch,omitempty"`
	// Time is the node's clock when the facts were complete.
	Time time.Time `json:"time"`
	// BTF says that the kernel describes its own types.
	BTF bool `json:"btf"`
	// Lockdown is none, integrity or confidentiality; empty where the kernel has no such thing.
	Lockdown string `json:"lockdown,omitempty"`
	// JIT is what the kernel does with BPF programs: 0 interprets them.
	JIT string `json:"jit,omitempty"`
	// Cgroup2 says that /sys/fs/cgroup is of version 2.
	Cgroup2 bool `json:"cgroup2"`
	// HostProcesses says that the processes of the node are seen and not those of a container alone.
	HostProcesses bool `json:"hostProcesses"`
	// NestedProcesses says that the node is itself a container: its process 1 is not the machine's.
	NestedProcesses bool `json:"nestedProcesses"`
	// Capabilities are those in effect, without CAP_, of those that odi uses.
	Capabilities []string `json:"capabilities,omitempty"`
	// MemoryAvailable in bytes.
	MemoryAvailable uint64 `json:"memoryAvailable,omitempty"`
	// Instrumenters are programs of others that instrument as well, by name.
	Instrumenters []string `json:"instrumenters,omitempty"`
	// Preloaded says that a library is put into every program of the node (/etc/ld.so.preload).
	Preloaded string `json:"preloaded,omitempty"`
	// Features is the feature ladder; empty where the engine was not loaded.
	Features []Feature `json:"features,omitempty"`
	// Looks are addresses that were looked up and called.
	Looks []Look `json:"looks,omitempty"`
	// Unseen says by the JSON name of a fact why it is missing.
	Unseen map[string]string `json:"unseen,omitempty"`
}

// Feature is one step of the ladder.
type Feature struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// Look is what became of calling one address from inside a pod of the node.
type Look struct {
	// Address is host:port.
	Address string `json:"address"`
	// Resolved says that the name has an address.
	Resolved bool `json:"resolved"`
	// Connected says that TCP was answered.
	Connected bool `json:"connected"`
	// Error is what happened instead.
	Error string `json:"error,omitempty"`
}

// Encode writes the facts in at most MaxBytes: what is explained at length is cut first.
func Encode(f Facts) ([]byte, error) {
	for limit := 400; ; limit /= 2 {
		data, err := json.Marshal(f)
		if err != nil || len(data) <= MaxBytes || limit < 10 {
			return data, err
		}
		f = shortened(f, limit)
	}
}

// shortened cuts explanations to a length, and lists to some tenths of it.
func shortened(f Facts, limit int) Facts {
	cut := func(s string) string { return s[:min(len(s), limit)] }
	features := append([]Feature(nil), f.Features...)
	for i := range features {
		features[i].Reason = cut(features[i].Reason)
	}
	looks := append([]Look(nil), f.Looks[:min(len(f.Looks), limit/10)]...)
	for i := range looks {
		looks[i].Error = cut(looks[i].Error)
	}
	unseen := map[string]string{}
	for name, why := range f.Unseen {
		unseen[name] = cut(why)
	}
	f.Features, f.Looks, f.Unseen = features, looks, unseen
	f.Preloaded = cut(f.Preloaded)
	f.Instrumenters = f.Instrumenters[:min(len(f.Instrumenters), limit/10)]
	return f
}

// Decode reads what Encode wrote.
func Decode(data []byte) (Facts, error) {
	var f Facts
	err := json.Unmarshal(data, &f)
	return f, err
}
