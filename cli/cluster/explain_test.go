package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://10.0.0.1:6443"}}]
users: [{name: ann, user: {}}]
contexts: [{name: prod, context: {cluster: test, user: ann}}]
current-context: prod
`

func TestExplain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	tests := map[string]struct {
		err  error
		want string
	}{
		"not allowed in a namespace": {
			err: fmt.Errorf("reading: %w", apierrors.NewForbidden(deployments, "cart",
				errors.New(`User "ann" cannot get resource "deployments" in API group "apps" in the namespace "shop"`))),
			want: `no permission (context "prod"): ann may not get deployments.apps in the namespace shop; to check: kubectl auth can-i get deployments.apps --namespace shop`,
		},
		"not allowed in the cluster": {
			err: apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "",
				errors.New(`User "ann" cannot list resource "namespaces" in API group "" at the cluster scope`)),
			want: `no permission (context "prod"): ann may not list namespaces in the whole cluster; to check: kubectl auth can-i list namespaces --all-namespaces`,
		},
		"refused by admission is no permission problem": {
			err:  apierrors.NewForbidden(deployments, "cart", errors.New("violates PodSecurity")),
			want: `deployments.apps "cart" is forbidden: violates PodSecurity`,
		},
		"credentials are refused": {
			err:  apierrors.NewUnauthorized("Unauthorized"),
			want: `the cluster (context "prod") refused your credentials; to check: kubectl auth whoami`,
		},
		"odi is not installed": {
			err:  fmt.Errorf("listing: %w", &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "odi.dev", Kind: "Destination"}, SearchedVersions: []string{"v1alpha1"}}),
			want: `odi is not installed in this cluster (context "prod"); to install it: odi install`,
		},
		"nobody listens": {
			err:  &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}},
			want: `the cluster at https://10.0.0.1:6443 (context "prod") cannot be reached: dial tcp: connection refused; to check: kubectl cluster-info`,
		},
		"anything else stays": {err: errors.New("disk full"), want: "disk full"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, New().Explain(tc.err).Error()); diff != "" {
				t.Errorf("explanation (-want +got):\n%s", diff)
			}
		})
	}
}
