package diagnose

import (
	"context"
	"io"
	"net/url"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/live"
)

const (
	// maxLines and maxLog bound one log: what happened last is what is asked about.
	maxLines, maxLog int64 = 10_000, 4 << 20
	// patience with one pod.
	patience = 8 * time.Second
)

func fromOdiglets(ctx context.Context, d *collector) []part {
	if d.podsNo != nil {
		return []part{d.failed("nodes/", d.podsNo)}
	}
	odiglets, err := live.Of(d.to, d.pods)
	if err != nil {
		return []part{d.failed("nodes/", err)}
	}
	var parts []part
	answers := odiglets.Nodes(ctx)
	for name, answer := range answers {
		parts = append(parts, d.object("nodes/"+name+".json", answer))
	}
	for _, pod := range d.pods {
		if _, answered := answers[pod.Spec.NodeName]; !answered && pod.Labels[odiv1.LabelComponent] == odiv1.ComponentOdiglet {
			parts = append(parts, part{file: "nodes/" + pod.Spec.NodeName + ".json", why: "its odiglet, the pod " + pod.Name + ", does not answer"})
		}
	}
	return parts
}

// portOf is where a component has its metrics.
var portOf = map[string]int{"manager": 8080, "odiglet": 8090, "gateway": 8888, "node-collector": 8888}

func metrics(ctx context.Context, d *collector) []part {
	return d.forEach(ctx, "metrics/", func(pod corev1.Pod) []part {
		port, known := portOf[pod.Labels[odiv1.LabelComponent]]
		if !known {
			return nil
		}
		file := "metrics/" + pod.Name + ".prom"
		if pod.Status.Phase != corev1.PodRunning {
			return []part{{file: file, why: "the pod is " + string(pod.Status.Phase)}}
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		data, err := live.Get(ctx, d.config, &pod, port, url.URL{Path: "/metrics"})
		if err != nil {
			return []part{d.failed(file, err)}
		}
		return []part{{file: file, data: []byte(d.redactor.Text(string(data)))}}
	})
}

func logs(ctx context.Context, d *collector) []part {
	api, err := kubernetes.NewForConfig(d.config)
	if err != nil {
		return []part{d.failed("logs/", err)}
	}
	return d.forEach(ctx, "logs/", func(pod corev1.Pod) []part {
		var parts []part
		for _, status := range append(append([]corev1.ContainerStatus(nil), pod.Status.InitContainerStatuses...), pod.Status.ContainerStatuses...) {
			parts = append(parts, d.log(ctx, api, pod, status.Name, false))
			if status.RestartCount > 0 {
				parts = append(parts, d.log(ctx, api, pod, status.Name, true))
			}
		}
		return parts
	})
}

func (d *collector) log(ctx context.Context, api kubernetes.Interface, pod corev1.Pod, container string, previous bool) part {
	p := part{file: "logs/" + pod.Name + "/" + container + ".log", end: true}
	if previous {
		p.file = "logs/" + pod.Name + "/" + container + ".previous.log"
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lines := maxLines
	stream, err := api.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &lines,
	}).Stream(ctx)
	if err != nil {
		return d.failed(p.file, err)
	}
	defer stream.Close()
	data, err := io.ReadAll(io.LimitReader(stream, maxLog))
	if err != nil && len(data) == 0 {
		return d.failed(p.file, err)
	}
	p.data = []byte(d.redactor.Text(string(data)))
	return p
}
