package diagnose

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/checks/gather"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/diagnose/redact"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/internal/version"
)

// packing is kept of the time for writing the archive.
const packing = 2 * time.Second

// collector reads the cluster for one archive.
type collector struct {
	to        *cluster.Cluster
	config    *rest.Config
	c         client.Client
	namespace string
	redactor  redact.Redactor
	// unread are Secrets whose values could not be read, so that they are not looked for.
	unread []part
	pods   []corev1.Pod
	podsNo error
}

// newCollector finds odi, and the secrets to look for.
func newCollector(ctx context.Context, to *cluster.Cluster) (*collector, error) {
	config, err := to.Config()
	if err != nil {
		return nil, err
	}
	c, err := to.Client()
	if err != nil {
		return nil, err
	}
	d := &collector{to: to, config: config, c: c, namespace: to.NamespaceFlag()}
	if d.namespace == "" {
		if d.namespace, err = cluster.OdiNamespace(ctx, c); err != nil {
			return nil, err // nobody answers, and nothing would be in the archive
		}
	}
	d.redactor = redact.New(d.secrets(ctx))
	var pods corev1.PodList
	d.podsNo = c.List(ctx, &pods, client.InNamespace(d.namespace))
	left := 0
	if d.pods, left = choose(pods.Items); left > 0 {
		d.unread = append(d.unread, part{file: "logs/, metrics/, nodes/", why: fmt.Sprintf("%d more pods of odi's were left out, all of them on nodes like others", left)})
	}
	return d, nil
}

// secrets are all values that the user may read and nobody else is to: those of odi's namespace, and those
// that Destinations name elsewhere.
func (d *collector) secrets(ctx context.Context) [][]byte {
	var list corev1.SecretList
	var all [][]byte
	if err := d.c.List(ctx, &list, client.InNamespace(d.namespace)); err != nil {
		d.unread = append(d.unread, part{file: "(values of Secrets in " + d.namespace + ")", why: d.why(err) + "; they were not looked for in the rest"})
	}
	var destinations odiv1.DestinationList
	if err := d.c.List(ctx, &destinations); err == nil {
		for _, dest := range destinations.Items {
			if dest.Spec.SecretRef == nil || dest.Namespace == d.namespace {
				continue
			}
			var secret corev1.Secret
			key := client.ObjectKey{Namespace: dest.Namespace, Name: dest.Spec.SecretRef.Name}
			if err := d.c.Get(ctx, key, &secret); err != nil {
				d.unread = append(d.unread, part{file: "(values of the Secret " + key.String() + ")", why: d.why(err) + "; they were not looked for in the rest"})
				continue
			}
			list.Items = append(list.Items, secret)
		}
	}
	for _, secret := range list.Items {
		if secret.Type == "helm.sh/release.v1" {
			continue // one long value that is found nowhere
		}
		for _, value := range secret.Data {
			all = append(all, value)
		}
	}
	return all
}

// why says what was met in one line.
func (d *collector) why(err error) string {
	return d.redactor.Text(strings.TrimPrefix(d.to.Explain(err).Error(), "no permission: "))
}

// collect reads all sources at the same time. One that is not done when the time is up is missing.
func (d *collector) collect(ctx context.Context) []part {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Minute)
	}
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-packing))
	defer cancel()
	all := sources()
	results := make([]chan []part, len(all))
	for i, s := range all {
		results[i] = make(chan []part, 1)
		go func() { results[i] <- s.read(ctx, d) }()
	}
	parts := d.unread
	late := time.After(time.Until(deadline) - packing/2) // sources that see the end of ctx have a moment to say what they have
	for i, s := range all {
		select {
		case got := <-results[i]:
			parts = append(parts, got...)
		case <-late:
			late = closed()
			if len(results[i]) > 0 {
				parts = append(parts, <-results[i]...)
				continue
			}
			parts = append(parts, part{file: s.file, why: "it was not read in time"})
		}
	}
	return ordered(parts)
}

// closed is a time that has come for everybody who asks.
func closed() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}

// object is a part of JSON.
func (d *collector) object(file string, value any) part {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return part{file: file, why: err.Error()}
	}
	return part{file: file, data: []byte(d.redactor.Text(string(data)) + "\n")}
}

func (d *collector) failed(file string, err error) part { return part{file: file, why: d.why(err)} }

// list reads objects of one kind.
func (d *collector) list(ctx context.Context, k kindOf) part {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(k.GroupVersionKind)
	var options []client.ListOption
	if k.scope == own {
		options = append(options, client.InNamespace(d.namespace))
	}
	if err := d.c.List(ctx, list, options...); err != nil {
		return d.failed(k.file(), err)
	}
	var text strings.Builder
	for _, item := range list.Items {
		if k.odiOnly && !d.ours(item) {
			continue
		}
		data, err := yaml.Marshal(d.redactor.Object(item.Object))
		if err != nil {
			return part{file: k.file(), why: err.Error()}
		}
		text.WriteString("---\n")
		text.WriteString(d.redactor.Known(string(data)))
	}
	return part{file: k.file(), data: []byte(text.String())}
}

// ours says that an object is odi's: by its name or labels, an Event by who reports it or where.
func (d *collector) ours(item unstructured.Unstructured) bool {
	if item.GetKind() == "Event" {
		reporter, _, _ := unstructured.NestedString(item.Object, "reportingController")
		return item.GetNamespace() == d.namespace || strings.HasPrefix(reporter, "odi")
	}
	return strings.HasPrefix(item.GetName(), "odi") || item.GetLabels()[cluster.PartOfLabel] == "odi"
}

func versions(ctx context.Context, d *collector) []part {
	facts := map[string]any{
		"odi": version.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		"namespace": d.namespace, "collected": metav1.Now(),
	}
	_, installed, err := cluster.Installed(ctx, d.c)
	facts["inCluster"] = installed
	if err != nil {
		facts["inCluster"] = d.why(err)
	}
	return []part{d.object("versions.json", facts)}
}

func checked(ctx context.Context, d *collector) []part {
	facts, err := gather.Facts(ctx, d.to, gather.Options{Namespace: d.namespace, Run: checks.After})
	if err != nil {
		return []part{d.failed("checks.json", err)}
	}
	return []part{d.object("checks.json", checks.Judge(facts, checks.After))}
}

func values(_ context.Context, d *collector) []part {
	rel, err := release.Open(d.to, d.namespace)
	if err != nil {
		return []part{d.failed("values.yaml", err)}
	}
	state, err := rel.State()
	if err != nil {
		return []part{d.failed("values.yaml", err)}
	}
	if !state.Exists {
		return []part{{file: "values.yaml", why: fmt.Sprintf("there is no Helm release of odi's in %s", d.namespace)}}
	}
	data, err := yaml.Marshal(state.Values)
	if err != nil {
		return []part{{file: "values.yaml", why: err.Error()}}
	}
	return []part{{file: "values.yaml", data: []byte(d.redactor.Known(d.redactor.Config(string(data))))}}
}

// forEach reads something of each pod, several at a time. When the time is up, what is not read yet is missing.
func (d *collector) forEach(ctx context.Context, folder string, read func(corev1.Pod) []part) []part {
	if d.podsNo != nil {
		return []part{d.failed(folder, d.podsNo)}
	}
	const parallel = 16
	results := make([]chan []part, len(d.pods))
	slots := make(chan struct{}, parallel)
	for i, pod := range d.pods {
		results[i] = make(chan []part, 1)
		go func() {
			select {
			case slots <- struct{}{}:
				results[i] <- read(pod)
				<-slots
			case <-ctx.Done():
			}
		}()
	}
	var all []part
	for i, pod := range d.pods {
		select {
		case got := <-results[i]:
			all = append(all, got...)
		case <-ctx.Done():
			if len(results[i]) > 0 {
				all = append(all, <-results[i]...)
				continue
			}
			all = append(all, part{file: folder + pod.Name, why: "it was not read in time"})
		}
	}
	return all
}

// maxPods is of how many pods logs and metrics are read: more do not fit into the archive.
const maxPods = 40

// choose takes the pods of which there are few, and those that are not well, before the others.
func choose(pods []corev1.Pod) (chosen []corev1.Pod, left int) {
	pods = slices.Clone(pods)
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int { return rank(a) - rank(b) })
	n := min(len(pods), maxPods)
	return pods[:n], len(pods) - n
}

func rank(pod corev1.Pod) int {
	perNode := pod.Labels[odiv1.LabelComponent] == odiv1.ComponentOdiglet || pod.Labels[odiv1.LabelComponent] == "node-collector"
	if !perNode {
		return 0
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return 2
		}
	}
	return 1
}
