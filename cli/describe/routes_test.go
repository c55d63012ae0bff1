package describe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/nodeapi"
)

func TestRoutesArePrintedAndBounded(t *testing.T) {
	all := []nodeapi.Route{
		{Service: "cart", Route: "/orders/{id}", Requests: 120},
		{Service: "cart", Server: "price:8080", Route: "/price/{id}", Requests: 118},
	}
	for i := range routesShown {
		all = append(all, nodeapi.Route{Service: "cart", Route: fmt.Sprint("/r/", i), Requests: 1})
	}
	for format, want := range map[output.Format][]string{
		output.FormatTable: {
			"", "ROUTE          REQUESTS   SIDE     SERVER", "/orders/{id}   120        server   -", "/price/{id}    118        client   price:8080",
			"and 7 more",
		},
		output.FormatWide: {
			"", "ROUTE          REQUESTS   SIDE     SERVER       SERVICE", "/orders/{id}   120        server   -            cart",
			"/price/{id}    118        client   price:8080   cart", "and 5 more",
		},
	} {
		var out strings.Builder
		if err := printRoutes(output.Page{Writer: &out}, all, 5, format); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		got := append(lines[:4:4], lines[len(lines)-1])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

func TestNoRoutesPrintNothing(t *testing.T) {
	var out strings.Builder
	if err := printRoutes(output.Page{Writer: &out}, nil, 0, output.FormatTable); err != nil || out.String() != "" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
