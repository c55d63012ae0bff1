package dns

// names are those that are labels of metrics, by process: what a program looks up may be any
// number of names.
type names map[uint32]map[string]bool

const (
	// namesMax bounds the names of a process that are told apart.
	namesMax = 100
	// namersMax bounds the processes; all begin anew when there are more.
	namersMax = 1024
	// otherName stands for the names beyond.
	otherName = "other"
)

// bounded returns the name, or what stands for it.
func (n names) bounded(pid uint32, name string) string {
	of := n[pid]
	if of[name] {
		return name
	}
	if len(of) >= namesMax {
		return otherName
	}
	if of == nil {
		if len(n) >= namersMax {
			clear(n)
		}
		of = make(map[string]bool)
		n[pid] = of
	}
	of[name] = true
	return name
}
