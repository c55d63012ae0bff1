package inject

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/instrumentor"
	"github.com/odi-dev/odi/internal/workload"
)

// manifests adds an agent to documents.
type manifests struct {
	agent odiv1.AgentReference
	flags flags
	notes io.Writer
}

// templates says where each kind has its pod.
var templates = map[string][]string{
	"Pod": {}, "PodTemplate": {"template"}, "Deployment": {"spec", "template"}, "StatefulSet": {"spec", "template"}, "DaemonSet": {"spec", "template"},
	"ReplicaSet": {"spec", "template"}, "ReplicationController": {"spec", "template"}, "Job": {"spec", "template"},
	"CronJob": {"spec", "jobTemplate", "spec", "template"}, "Rollout": {"spec", "template"},
}

// inject returns all documents, with those changed that have pods.
func (m manifests) inject(text []byte) ([]byte, error) {
	var out bytes.Buffer
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for number := 1; ; number++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, exit.Usagef("reading document %d: %w", number, err)
		}
		raw, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, exit.Usagef("reading document %d: %w", number, err)
		}
		if string(raw) == "null" {
			continue
		}
		changed, err := m.object(raw)
		if err != nil {
			return nil, exit.Usagef("document %d: %w", number, err)
		}
		printed, err := yaml.JSONToYAML(changed)
		if err != nil {
			return nil, fmt.Errorf("writing document %d: %w", number, err)
		}
		if out.Len() > 0 {
			out.WriteString("---\n")
		}
		out.Write(printed)
	}
	if out.Len() == 0 {
		return nil, exit.Usagef("there is no manifest in it")
	}
	return out.Bytes(), nil
}

// head is what tells an object.
type head struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name         string `json:"name"`
		GenerateName string `json:"generateName"`
		Namespace    string `json:"namespace"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

func (m manifests) object(raw []byte) ([]byte, error) {
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	if h.Kind == "" {
		return nil, errors.New("it is no Kubernetes object: it has no kind")
	}
	if h.Kind == "List" {
		return m.list(raw, h.Items)
	}
	path, ok := templates[h.Kind]
	if !ok {
		return raw, nil
	}
	return m.within(raw, path, func(pod []byte) ([]byte, error) { return m.pod(pod, h) })
}

func (m manifests) list(raw []byte, items []json.RawMessage) ([]byte, error) {
	for i, item := range items {
		changed, err := m.object(item)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		items[i] = changed
	}
	return m.within(raw, []string{"items"}, func([]byte) ([]byte, error) { return json.Marshal(items) })
}

// within changes what lies at a path of an object, and nothing beside it.
func (m manifests) within(raw []byte, path []string, change func([]byte) ([]byte, error)) ([]byte, error) {
	if len(path) == 0 {
		return change(raw)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path[0], err)
	}
	inner, ok := object[path[0]]
	if !ok {
		return nil, fmt.Errorf("it has no %s", path[0])
	}
	changed, err := m.within(inner, path[1:], change)
	if err != nil {
		return nil, err
	}
	object[path[0]] = changed
	return json.Marshal(object)
}

// pod adds the agent to a pod or a template.
func (m manifests) pod(raw []byte, h head) ([]byte, error) {
	name := h.Metadata.Name
	if name == "" {
		name = h.Metadata.GenerateName
	}
	d := instrumentor.Decision{
		Workload: workload.Reference{Namespace: h.Metadata.Namespace, Kind: odiv1.WorkloadKind(h.Kind), Name: name},
		Delivery: m.flags.delivery, Endpoint: instrumentor.EndpointIn(m.flags.odiNamespace, ""),
	}
	names := m.flags.containers
	if len(names) == 0 {
		var err error
		if names, err = instrumentor.Containers(raw); err != nil {
			return nil, err
		}
	}
	for _, c := range names {
		// Which C library it has is not in a manifest; most images have glibc.
		d.Containers = append(d.Containers, instrumentor.Container{Name: c, Agent: m.agent, Runtime: odiv1.Runtime{Libc: "glibc"}})
	}
	result, err := instrumentor.Inject(raw, d)
	if err != nil {
		return nil, err
	}
	for _, s := range result.Skips {
		fmt.Fprintf(m.notes, "%s %s%s: left as it is (%s): %s\n", h.Kind, name, of(s.Container), s.Reason, s.Message)
	}
	return instrumentor.Apply(raw, result.Patch)
}

func of(container string) string {
	if container == "" {
		return ""
	}
	return ", container " + container
}
