package rollout

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// A player is the controller of Deployments, the kubelet and the pod webhook of a story.
type player struct {
	client client.Client
	mu     sync.Mutex
	plays  map[string]*play
}

// A play is one Deployment.
type play struct {
	set      *appsv1.ReplicaSet
	replicas int
	webhook  bool
	made     int
	// sick changes the status of a pod that has agents.
	sick func(*corev1.PodStatus)
	// uids are of all pods that ever were, carriers of those that had agents.
	uids, carriers map[types.UID]bool
}

func newPlayer(t *testing.T, c client.Client) *player {
	t.Helper()
	p := &player{client: c, plays: map[string]*play{}}
	ctx, cancel := context.WithCancel(t.Context())
	var playing sync.WaitGroup
	playing.Go(func() {
		for ctx.Err() == nil {
			p.round(ctx)
			time.Sleep(100 * time.Millisecond)
		}
	})
	t.Cleanup(func() { cancel(); playing.Wait() })
	return p
}

// deploy makes a Deployment with pods that run, and what select and decide would make of it.
func (p *player) deploy(t *testing.T, name string, replicas int32, mode odiv1.RolloutMode) *odiv1.InstrumentedWorkload {
	t.Helper()
	d := testkit.Deployment("shop", name, "app")
	d.Spec.Replicas = &replicas
	config := &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	config.Spec = odiv1.InstrumentationConfigSpec{
		Method: odiv1.MethodAgent, Rollout: mode, Target: odiv1.Target{Kind: odiv1.KindDeployment, Name: name},
	}
	testkit.Create(t, p.client, d, config)
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name + "-1", OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment")),
		}},
		Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template, Replicas: &replicas},
	}
	testkit.Create(t, p.client, set)
	p.mu.Lock()
	p.plays[name] = &play{set: set, replicas: int(replicas), webhook: true, uids: map[types.UID]bool{}, carriers: map[types.UID]bool{}}
	p.mu.Unlock()
	testkit.Eventually(t, 10*time.Second, name+" runs", func() bool { return len(p.pods(t, name)) == int(replicas) })
	iw := testkit.Selected(d, name)
	iw.Spec.Containers = []odiv1.ContainerDecision{agentDecision("1")}
	testkit.Create(t, p.client, iw)
	return iw
}

func agentDecision(version string) odiv1.ContainerDecision {
	return odiv1.ContainerDecision{
		Name: "app", Method: odiv1.MethodAgent, Reason: odiv1.ReasonMethodAgent,
		Agent: odiv1.AgentReference{Language: "java", Version: version, Image: "example.test/odi-agent-java:" + version},
	}
}

// of changes or reads a play.
func (p *player) of(name string, do func(*play)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(p.plays[name])
}

func (p *player) pods(t *testing.T, name string) []corev1.Pod {
	t.Helper()
	var list corev1.PodList
	if err := p.client.List(t.Context(), &list, client.InNamespace("shop"), client.MatchingLabels{"app": name}); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func (p *player) withAgents(t *testing.T, name string) (count int) {
	t.Helper()
	for _, pod := range p.pods(t, name) {
		if pod.Annotations[odiv1.AnnotationAgents] != "" {
			count++
		}
	}
	return count
}

// wantPods waits until there were so many pods, so many of them with agents, and no more.
func (p *player) wantPods(t *testing.T, name string, uids, carriers int) {
	t.Helper()
	were := func() (int, int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.plays[name].uids), len(p.plays[name].carriers)
	}
	testkit.Eventually(t, 5*time.Second, name+" has all of its pods", func() bool { all, _ := were(); return all >= uids })
	time.Sleep(time.Second)
	if all, with := were(); all != uids || with != carriers {
		t.Errorf("there were %d pods, %d with agents; want %d and %d: each evicted once", all, with, uids, carriers)
	}
}

// round makes missing pods and lets new ones start. What fails is tried again in the next.
func (p *player) round(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, play := range p.plays {
		var list corev1.PodList
		if err := p.client.List(ctx, &list, client.InNamespace("shop"), client.MatchingLabels{"app": name}); err != nil {
			return
		}
		for i := range list.Items {
			p.kubelet(ctx, play, &list.Items[i])
		}
		if len(list.Items) < play.replicas {
			p.make(ctx, name, play)
		}
	}
}

func (p *player) kubelet(ctx context.Context, play *play, pod *corev1.Pod) {
	play.uids[pod.UID] = true
	if pod.Annotations[odiv1.AnnotationAgents] != "" {
		play.carriers[pod.UID] = true
	}
	if pod.Status.Phase == corev1.PodRunning {
		return
	}
	long := metav1.NewTime(time.Now().Add(-2 * time.Minute)) // So long that it has soaked.
	pod.Status = corev1.PodStatus{
		Phase:      corev1.PodRunning,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: long}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", Ready: true, Image: "example.test/app", ImageID: "example.test/app@sha256:01",
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: long}},
		}},
	}
	if play.sick != nil && pod.Annotations[odiv1.AnnotationAgents] != "" {
		pod.Status.Conditions[0].Status = corev1.ConditionFalse
		play.sick(&pod.Status)
	}
	_ = p.client.Status().Update(ctx, pod)
}

// make admits a pod as the webhook does.
func (p *player) make(ctx context.Context, name string, play *play) {
	play.made++
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprintf("%s-1-%d", name, play.made), Labels: map[string]string{"app": name}, Annotations: map[string]string{},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(play.set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: play.set.Spec.Template.Spec,
	}
	var iw odiv1.InstrumentedWorkload
	err := p.client.Get(ctx, client.ObjectKey{Namespace: "shop", Name: "deployment-" + name}, &iw)
	if err == nil && play.webhook && iw.Spec.Rollout != nil && !p.inject(ctx, &iw, pod) {
		return
	}
	_ = p.client.Create(ctx, pod)
}

// inject is false where somebody else wrote the status meanwhile, which the webhook's own patch does not mind.
func (p *player) inject(ctx context.Context, iw *odiv1.InstrumentedWorkload, pod *corev1.Pod) bool {
	plan, claim := iw.Spec.Rollout, iw.Status.Canary
	switch {
	case plan.Stage == odiv1.RolloutStageNone:
		return true
	case plan.Stage == odiv1.RolloutStageCanary && claim != nil && claim.Revision == plan.Revision && claim.Slot == plan.Slot:
		return true
	case plan.Stage == odiv1.RolloutStageCanary:
		iw.Status.Canary = &odiv1.CanaryClaim{Revision: plan.Revision, Slot: plan.Slot, Request: "request-" + pod.Name, At: metav1.Now()}
		if err := p.client.Status().Update(ctx, iw); err != nil {
			return false
		}
		pod.Annotations[odiv1.AnnotationCanary] = "request-" + pod.Name
	}
	for _, d := range iw.Spec.Containers {
		if d.Method == odiv1.MethodAgent {
			pod.Annotations[odiv1.AnnotationAgents] = d.Name + "=" + d.Agent.Language + "@" + d.Agent.Version
		}
	}
	return true
}
