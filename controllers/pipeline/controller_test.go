package pipeline

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestUninstalled(t *testing.T) {
	there := &appsv1.Deployment{}
	going := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{}}}
	tests := map[string]struct {
		seen []*appsv1.Deployment
		want bool
	}{
		"installed":                             {[]*appsv1.Deployment{there}, false},
		"outside of the cluster there is none":  {[]*appsv1.Deployment{nil, nil}, false},
		"its Deployment is gone":                {[]*appsv1.Deployment{there, nil}, true},
		"its Deployment is going":               {[]*appsv1.Deployment{there, going}, true},
		"its Deployment came after the process": {[]*appsv1.Deployment{nil, there}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, got := &Controller{}, false
			for _, manager := range tc.seen {
				got = c.uninstalled(Input{Manager: manager})
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
