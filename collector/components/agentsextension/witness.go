package agentsextension

// Answer is what the odiglet is told.
type Answer struct {
	// Epoch changes when the counts begin anew.
	Epoch string `json:"epoch"`
	// Table is the hash of the table that is in use; empty: none.
	Table string `json:"table"`
	// Reported are the server spans that came from agents, by UID of the pod and
	// container; those of nobody knows which container are under "".
	Reported map[string]map[string]uint64 `json:"reported,omitempty"`
}

// Reported counts server spans of a container's agent.
func (e *Extension) Reported(uid, container string, n int) {
	if n == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.index == nil || e.index.pods[uid] == nil {
		return // it has just left the table
	}
	of := e.reported[uid]
	if of == nil {
		of = make(map[string]uint64)
		e.reported[uid] = of
	}
	of[container] += uint64(n)
}

// answer copies what is known; e.mu is held.
func (e *Extension) answer() Answer {
	a := Answer{Epoch: e.epoch, Table: e.hash, Reported: make(map[string]map[string]uint64, len(e.reported))}
	for uid, of := range e.reported {
		counts := make(map[string]uint64, len(of))
		for container, n := range of {
			counts[container] = n
		}
		a.Reported[uid] = counts
	}
	return a
}
