package live

import (
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/odi-dev/odi/internal/nodeapi"
)

func TestRoutesOfAllNodesAreSummedUp(t *testing.T) {
	list, more := sum([]nodeapi.Routes{
		{Routes: []nodeapi.Route{{Service: "cart", Route: "/b", Requests: 4}, {Service: "cart", Route: "/a", Requests: 2}}, More: 3},
		{Routes: []nodeapi.Route{{Service: "cart", Route: "/a", Requests: 5}, {Service: "cart", Server: "price:80", Route: "/a", Requests: 4}}},
	})
	want := []nodeapi.Route{
		{Service: "cart", Route: "/a", Requests: 7},
		{Service: "cart", Server: "price:80", Route: "/a", Requests: 4},
		{Service: "cart", Route: "/b", Requests: 4},
	}
	if diff := cmp.Diff(want, list); diff != "" || more != 3 {
		t.Errorf("%d more, list (-want +got):\n%s", more, diff)
	}
	if list, more := sum(nil); list != nil || more != 0 {
		t.Errorf("nothing is %v and %d more", list, more)
	}
}

// TestASilentNodeIsOnlyMissing: the API server takes the question and never answers.
func TestASilentNodeIsOnlyMissing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	o := Odiglets{
		config: &rest.Config{Host: "http://" + listener.Addr().String()},
		pods:   []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odiglet-1"}}},
	}
	answered := make(chan map[string]nodeapi.Node, 1)
	go func() { answered <- o.Nodes(t.Context()) }()
	select {
	case answers := <-answered:
		if len(answers) > 0 {
			t.Errorf("answers from nowhere: %v", answers)
		}
	case <-time.After(3 * patience):
		t.Fatal("it waits for ever")
	}
}
