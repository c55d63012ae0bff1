package node

import (
	"cmp"
	"net"
	"slices"
	"strconv"

	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/odiglet/routes"
)

// maxRoutesAnswered bounds an answer: both sides of the service of a workload, and
// the rest by how much they are used.
const maxRoutesAnswered = 2 * (routes.MaxRoutes + 1)

// routesOf is the answer to nodeapi.RoutesPath; an empty word matches all.
func (s *server) routesOf(namespace, kind, name string) nodeapi.Routes {
	out := nodeapi.Routes{Routes: []nodeapi.Route{}}
	asked := make(map[string]bool) // services
	for in, at := range s.instances(namespace, kind, name) {
		key := at.pod.namespace + "/" + in.Service
		if in.Service == "" || asked[key] {
			continue
		}
		asked[key] = true
		for _, r := range s.odiglet.Routes(uint32(in.Process.PID)) {
			out.Routes = append(out.Routes, nodeapi.Route{Service: in.Service, Server: address(r), Route: r.Route, Requests: r.Count})
		}
	}
	slices.SortStableFunc(out.Routes, func(a, b nodeapi.Route) int { return cmp.Compare(b.Requests, a.Requests) })
	if more := len(out.Routes) - maxRoutesAnswered; more > 0 {
		out.Routes, out.More = out.Routes[:maxRoutesAnswered], more
	}
	return out
}

// address is whom a client asked; empty for the routes of a server.
func address(r routes.Listed) string {
	if !r.Client {
		return ""
	}
	if r.Server.Address == "" {
		return "other" // beyond the servers that are told apart
	}
	return net.JoinHostPort(r.Server.Address, strconv.Itoa(r.Server.Port))
}
