package node

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// remembered is for how long it is known who had an address before.
const remembered = 2 * time.Minute

// podRef names a pod that another of the same name is told apart from.
type podRef struct {
	types.NamespacedName
	uid types.UID
}

// tenants are the pods that have an address or are behind a Service, and those that did so lately.
type tenants map[podRef]*tenure

// tenure is what says that a pod does, and until when it did; zero while something says so.
type tenure struct {
	sources map[string]bool
	until   time.Time
}

func (t tenants) add(p podRef, source string) {
	if t[p] == nil {
		t[p] = &tenure{sources: map[string]bool{}}
	}
	t[p].sources[source], t[p].until = true, time.Time{}
}

func (t tenants) drop(p podRef, source string, now time.Time) {
	of := t[p]
	if of == nil {
		return
	}
	if delete(of.sources, source); len(of.sources) == 0 && of.until.IsZero() {
		of.until = now
	}
}

// since lists those that were there at any time from then on.
func (t tenants) since(then time.Time) []podRef {
	var all []podRef
	for p, of := range t {
		if of.until.IsZero() || !of.until.Before(then) {
			all = append(all, p)
		}
	}
	return all
}

// forget drops those that are long gone.
func (t tenants) forget(now time.Time) {
	for p, of := range t {
		if !of.until.IsZero() && now.Sub(of.until) > remembered {
			delete(t, p)
		}
	}
}
