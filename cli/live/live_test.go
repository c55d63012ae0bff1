package live

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
