package uninstall

import (
	"fmt"
	"strings"
	"time"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
)

// plan is what will go.
type plan struct {
	namespace string
	// release says that there is one.
	release bool
	// kinds go with all objects of theirs, the wishes among them.
	kinds  []kinds.Definition
	wishes wishes
	// kindsStay are to be kept by Helm, too.
	kindsStay []kinds.Definition
	// reports go although the kinds stay.
	reports        bool
	namespaceStays bool
	// timeout bounds the wait until everything is gone.
	timeout time.Duration
}

func (p plan) owner() kinds.Owner { return kinds.Owner{Namespace: p.namespace, Name: release.Name} }

// nothing says that there is nothing to do.
func (p plan) nothing() bool { return !p.release && len(p.kinds) == 0 && p.namespaceStays }

// check refuses what cannot be meant. includeCRDs is the user's word for the kinds.
func (s *survey) check(includeCRDs bool) error {
	where := strings.Join(s.elsewhere, ", ")
	switch {
	case !s.here() && len(s.elsewhere) > 0:
		return exit.Usagef("odi is not installed in %s but in %s; to remove it: odi uninstall --namespace %s", s.namespace, where, s.elsewhere[0])
	case s.manager && !s.release.Exists && s.managedBy != "":
		return exit.Usagef("the odi in %s is the Helm release %s; to remove it: helm uninstall %s --namespace %s",
			s.namespace, s.managedBy, s.managedBy, s.namespace)
	case s.manager && !s.release.Exists:
		return exit.Usagef("the odi in %s was applied from manifests; to remove it, delete them: odi install --dry-run --set crds.install=false --namespace %s | kubectl delete -f -",
			s.namespace, s.namespace)
	case includeCRDs && len(s.elsewhere) > 0:
		return exit.Usagef("another odi, in %s, needs the kinds of this one and the objects in them; leave out --include-crds", where)
	}
	return nil
}

// canChoose says that it depends on the user whether the kinds go.
func (s *survey) canChoose() bool {
	return len(s.kinds) > 0 && len(s.elsewhere) == 0 && !s.letsKindsGo()
}

// letsKindsGo says that the release was told to take its kinds along.
func (s *survey) letsKindsGo() bool { return s.release.Exists && release.LetsKindsGo(s.release.Values) }

// decide makes the plan, once it is known whether the kinds go.
func (s *survey) decide(kindsGo bool) plan {
	p := plan{namespace: s.namespace, release: s.release.Exists}
	if (kindsGo || s.letsKindsGo()) && len(s.elsewhere) == 0 {
		p.kinds, p.wishes = s.kinds, s.wishes
	} else {
		p.kindsStay = s.kinds
		p.reports = len(s.elsewhere) == 0
	}
	p.namespaceStays = !s.made || len(p.kinds) == 0 && s.wishesHere() > 0
	return p
}

// wishesHere counts those that would go with the namespace.
func (s *survey) wishesHere() int {
	n := 0
	for _, object := range s.wishes.all() {
		if object.GetNamespace() == s.namespace {
			n++
		}
	}
	return n
}

// inWords is what users wrote, counted: "2 InstrumentationConfigs and 1 Destination in 2 namespaces".
func (w wishes) inWords() string {
	namespaces := map[string]bool{}
	for _, object := range w.all() {
		namespaces[object.GetNamespace()] = true
	}
	return fmt.Sprintf("%s, %s and %s with their credentials, in %s", count(len(w.configs), "InstrumentationConfig"),
		count(len(w.destinations), "Destination"), count(len(w.secrets), "Secret"), count(len(namespaces), "namespace"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// releaseInWords is what goes with the release.
func (s *survey) releaseInWords() string {
	version := s.release.Version
	if version != "" {
		version = " " + version
	}
	return fmt.Sprintf("odi%s from %s: its components on %s; %s are traced no more",
		version, s.namespace, count(s.nodes, "node"), count(s.selected, "workload"))
}

// question names what goes by the plan.
func (s *survey) question(p plan, kubeContext string) string {
	what := "what is left of odi in " + s.namespace
	if p.release {
		what = s.releaseInWords()
	}
	text := fmt.Sprintf("This removes %s (context %q).", what, kubeContext)
	if len(p.kinds) > 0 {
		text += fmt.Sprintf("\nIt removes %s.", s.kindsInWords())
	}
	return text + "\nRemove it?"
}

// kindsInWords is what goes with the kinds.
func (s *survey) kindsInWords() string {
	return fmt.Sprintf("odi's %s, and with them %s", count(len(s.kinds), "kind"), s.wishes.inWords())
}

// outcome says what is gone and what stays.
func (s *survey) outcome(p plan) string {
	text := "odi is uninstalled"
	if p.nothing() {
		text = "odi is not installed in this cluster"
	}
	var stay []string
	if len(p.kindsStay) > 0 {
		stay = append(stay, s.kindsInWords()+"; to remove them: odi uninstall --include-crds --namespace "+s.namespace)
	}
	if len(s.foreign) > 0 && len(s.elsewhere) == 0 {
		stay = append(stay, fmt.Sprintf("%s of odi's that another release or somebody else made (kubectl get crd %s)", count(len(s.foreign), "kind"), s.foreign[0].Name))
	}
	if p.namespaceStays && s.made && s.there {
		stay = append(stay, fmt.Sprintf("the namespace %s, in which %d of these are", s.namespace, s.wishesHere()))
	}
	if len(stay) == 0 {
		return text + "; nothing is left in the cluster"
	}
	return text + "\nleft: " + strings.Join(stay, "\nleft: ")
}
