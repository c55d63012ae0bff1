package live

import (
	"context"
	"encoding/json"
	"net/url"
	"sort"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/internal/workload"
)

const (
	// patience with one odiglet; a person waits for the slowest of them.
	patience = 3 * time.Second
	// parallel questions at once: the API server carries each of them.
	parallel = 16
)

// Odiglets are the odiglets of a cluster.
type Odiglets struct {
	config *rest.Config
	pods   []corev1.Pod
}

// Of picks the odiglets from odi's pods.
func Of(to *cluster.Cluster, pods []corev1.Pod) (Odiglets, error) {
	config, err := to.Config()
	if err != nil {
		return Odiglets{}, err
	}
	o := Odiglets{config: config}
	for _, pod := range pods {
		if pod.Labels[odiv1.LabelComponent] == "odiglet" && pod.Status.Phase == corev1.PodRunning {
			o.pods = append(o.pods, pod)
		}
	}
	return o, nil
}

// Process is a process and the node that it runs on.
type Process struct {
	Node string `json:"node"`
	nodeapi.Process
}

// Processes lists the processes of a workload on all nodes that answer; unreachable counts the others.
func (o Odiglets) Processes(ctx context.Context, ref workload.Reference) (list []Process, unreachable int) {
	query := url.Values{"namespace": {ref.Namespace}, "kind": {string(ref.Kind)}, "name": {ref.Name}}
	answers := ask[nodeapi.Processes](ctx, o, url.URL{Path: nodeapi.ProcessesPath, RawQuery: query.Encode()})
	for node, answer := range answers {
		for _, process := range answer.Processes {
			list = append(list, Process{Node: node, Process: process})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Pod != list[j].Pod {
			return list[i].Pod < list[j].Pod
		}
		return list[i].PID < list[j].PID
	})
	return list, len(o.pods) - len(answers)
}

// Routes sums up the routes of a workload over all nodes, the most used first; more
// counts those that odiglets left out.
func (o Odiglets) Routes(ctx context.Context, ref workload.Reference) (list []nodeapi.Route, more int) {
	query := url.Values{"namespace": {ref.Namespace}, "kind": {string(ref.Kind)}, "name": {ref.Name}}
	var answers []nodeapi.Routes
	for _, answer := range ask[nodeapi.Routes](ctx, o, url.URL{Path: nodeapi.RoutesPath, RawQuery: query.Encode()}) {
		answers = append(answers, answer)
	}
	return sum(answers)
}

// sum adds up what several nodes say of one service.
func sum(answers []nodeapi.Routes) (list []nodeapi.Route, more int) {
	requests := map[nodeapi.Route]uint64{}
	for _, answer := range answers {
		more += answer.More
		for _, route := range answer.Routes {
			n := route.Requests
			route.Requests = 0
			requests[route] += n
		}
	}
	for route, n := range requests {
		route.Requests = n
		list = append(list, route)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		switch {
		case a.Requests != b.Requests:
			return a.Requests > b.Requests
		case a.Route != b.Route:
			return a.Route < b.Route
		case a.Server != b.Server:
			return a.Server < b.Server
		}
		return a.Service < b.Service
	})
	return list, more
}

// Nodes asks every odiglet about itself. The key is the node's name.
func (o Odiglets) Nodes(ctx context.Context) map[string]nodeapi.Node {
	return ask[nodeapi.Node](ctx, o, url.URL{Path: nodeapi.NodePath})
}

// ask puts one question to every odiglet; the key is the node's name.
func ask[T any](ctx context.Context, o Odiglets, query url.URL) map[string]T {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mutex sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	answers := map[string]T{}
	for _, pod := range o.pods {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer group.Done()
			defer func() { <-slots }()
			data, err := fetch(ctx, o.config, &pod, query)
			var answer T
			if err != nil || json.Unmarshal(data, &answer) != nil {
				return
			}
			mutex.Lock()
			defer mutex.Unlock()
			answers[pod.Spec.NodeName] = answer
		}()
	}
	group.Wait()
	return answers
}
