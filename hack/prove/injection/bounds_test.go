package injection

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/testkit"
)

// restrict gives the namespace what administrators give theirs: a Pod Security level, bounds and defaults of a
// container, and a quota that wants every container to have limits.
func (s *stage) restrict(t *testing.T) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: asked}}
	labels := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	if err := s.c.Patch(t.Context(), namespace, client.RawPatch(types.MergePatchType, labels)); err != nil {
		t.Fatal(err)
	}
	defaults := equalResources("200m", "128Mi").Limits
	testkit.Create(t, s.c, &corev1.LimitRange{
		ObjectMeta: metav1.ObjectMeta{Namespace: asked, Name: "bounds"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer, Min: equalResources("100m", "48Mi").Limits, Max: equalResources("1", "1Gi").Limits,
			Default: equalResources("500m", "512Mi").Limits, DefaultRequest: defaults,
		}}},
	})
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: asked, Name: "quota"},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			corev1.ResourceLimitsCPU: resource.MustParse("500m"), corev1.ResourceLimitsMemory: resource.MustParse("512Mi"),
		}},
	}
	testkit.Create(t, s.c, quota)
	quota.Status.Hard = quota.Spec.Hard
	quota.Status.Used = corev1.ResourceList{corev1.ResourceLimitsCPU: resource.MustParse("0"), corev1.ResourceLimitsMemory: resource.MustParse("0")}
	if err := s.c.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, "the bounds are in force", func() bool {
		return s.c.Create(t.Context(), s.pod("open"), client.DryRunAll) != nil
	})
}

func equalResources(cpu, memory string) corev1.ResourceRequirements {
	list := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	return corev1.ResourceRequirements{Requests: list, Limits: list.DeepCopy()}
}

// qualityOf is the class of a pod whose one container says all of its resources; empty otherwise.
func qualityOf(pod *corev1.Pod) corev1.PodQOSClass {
	r := pod.Spec.Containers[0].Resources
	if len(r.Limits) == 2 && r.Limits.Cpu().Equal(*r.Requests.Cpu()) && r.Limits.Memory().Equal(*r.Requests.Memory()) {
		return corev1.PodQOSGuaranteed
	}
	return ""
}
