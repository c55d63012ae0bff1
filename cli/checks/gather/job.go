package gather

import (
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/cluster"
)

// question is what one node is asked, from where and for how long.
type question struct {
	namespace, run, node string
	engine               bool
	call                 []string
	within               time.Duration
}

const (
	// goneAfter is when Kubernetes removes a Job that ended, if nobody else did.
	goneAfter int32 = 30
	// moreTime is what a pod may take beyond the time that anybody waits for it.
	moreTime = 20 * time.Second
	// cgroupVolume is the only one of the odiglet's that the question needs.
	cgroupVolume = "cgroup"
)

// job is one pod on one node that has the odiglet's image and rights, prints facts and ends. It has
// no account's token, none of the odiglet's secrets, and mounts the cgroup tree read-only alone.
func job(q question, odiglet corev1.PodSpec) *batchv1.Job {
	labels := map[string]string{
		cluster.PartOfLabel: "odi", odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: componentCheck, runLabel: q.run,
	}
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "odi-check-", Namespace: q.namespace, Labels: labels},
		Spec: batchv1.JobSpec{
			BackoffLimit:            new(int32),
			TTLSecondsAfterFinished: new(goneAfter),
			ActiveDeadlineSeconds:   new(int64((max(q.within, 0) + moreTime).Seconds())),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       pod(q, odiglet),
			},
		},
	}
}

func pod(q question, odiglet corev1.PodSpec) corev1.PodSpec {
	spec := corev1.PodSpec{
		NodeName:                      q.node, // past the scheduler: a node that is full or tainted is asked as well
		Tolerations:                   []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
		RestartPolicy:                 corev1.RestartPolicyNever,
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64),
		HostPID:                       odiglet.HostPID,
		SecurityContext:               odiglet.SecurityContext,
	}
	if q.namespace != ownNamespace { // there are no Secrets in it
		spec.ImagePullSecrets = odiglet.ImagePullSecrets
	}
	for _, volume := range odiglet.Volumes {
		if volume.Name == cgroupVolume {
			spec.Volumes = []corev1.Volume{volume}
		}
	}
	for _, c := range odiglet.Containers {
		if c.Name == cluster.OdigletName {
			spec.Containers = []corev1.Container{container(q, c)}
		}
	}
	return spec
}

func container(q question, odiglet corev1.Container) corev1.Container {
	c := corev1.Container{
		Name:            "facts",
		Image:           odiglet.Image,
		ImagePullPolicy: odiglet.ImagePullPolicy,
		Command:         []string{"/usr/bin/odiglet", "facts"},
		Args: []string{
			"--into=" + corev1.TerminationMessagePathDefault,
			fmt.Sprintf("--engine=%t", q.engine),
			"--call=" + strings.Join(append([]string{checks.APIServer}, q.call...), ","),
		},
		Resources:                odiglet.Resources,
		SecurityContext:          odiglet.SecurityContext,
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
	for _, mount := range odiglet.VolumeMounts {
		if mount.Name == cgroupVolume {
			c.VolumeMounts = []corev1.VolumeMount{mount}
		}
	}
	return c
}
