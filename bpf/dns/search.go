package dns

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/odi-dev/odi/internal/procfs"
)

// searchList is what a process appends to names that it looks up (resolv.conf(5)).
type searchList struct {
	domains []string
	ndots   int
}

const (
	resolvConfMax = 16 << 10
	domainsMax    = 32
	// staleAfter is how long a list is believed.
	staleAfter = 30 * time.Second
	listsMax   = 1024
)

// readSearchList reads that of a process; empty where there is none.
func readSearchList(pid uint32) searchList {
	p, err := procfs.At("/proc").Open(int(pid))
	if err != nil {
		return searchList{} // gone
	}
	defer func() { _ = p.Close() }() // read only
	text, err := p.ReadFile("/etc/resolv.conf", resolvConfMax)
	if err != nil {
		return searchList{}
	}
	return parseSearchList(string(text))
}

// parseSearchList reads resolv.conf: of several lists the last one counts.
func parseSearchList(text string) searchList {
	l := searchList{ndots: 1}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "search", "domain":
			l.domains = l.domains[:0]
			for _, d := range words[1:min(len(words), domainsMax+1)] {
				if d = strings.ToLower(strings.Trim(d, ".")); d != "" {
					l.domains = append(l.domains, d)
				}
			}
		case "options":
			for _, o := range words[1:] {
				if n, ok := strings.CutPrefix(o, "ndots:"); ok {
					if v, err := strconv.Atoi(n); err == nil {
						l.ndots = min(max(v, 0), 15)
					}
				}
			}
		}
	}
	return l
}

// after lists the names that a resolver may ask for next, once one was not found: with the next
// domain of the list, or the name as it is, behind the last one.
func (l searchList) after(name string) (next []string) {
	for i, domain := range l.domains {
		base, ok := strings.CutSuffix(name, "."+domain)
		if !ok || base == "" {
			continue
		}
		if i+1 < len(l.domains) {
			next = append(next, base+"."+l.domains[i+1])
		}
		if strings.Count(base, ".") < l.ndots {
			next = append(next, base)
		}
	}
	if len(l.domains) > 0 && strings.Count(name, ".") >= l.ndots && !l.ends(name) {
		next = append(next, name+"."+l.domains[0])
	}
	return next
}

// ends tells whether a name ends in one of the domains.
func (l searchList) ends(name string) bool {
	return slices.ContainsFunc(l.domains, func(d string) bool { return strings.HasSuffix(name, "."+d) })
}

// searchLists keeps those of processes for a while.
type searchLists struct {
	read  func(pid uint32) searchList
	known map[uint32]readList
}

type readList struct {
	searchList
	at time.Time
}

func newSearchLists(read func(uint32) searchList) *searchLists {
	return &searchLists{read: read, known: make(map[uint32]readList)}
}

func (s *searchLists) of(pid uint32, now time.Time) searchList {
	if l, ok := s.known[pid]; ok && now.Sub(l.at) < staleAfter {
		return l.searchList
	}
	if len(s.known) >= listsMax {
		clear(s.known)
	}
	l := readList{s.read(pid), now}
	s.known[pid] = l
	return l.searchList
}
