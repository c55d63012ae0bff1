package shop

import "embed"

// Namespace is where the manifests put the shop.
const Namespace = "shop"

// Front is the service that takes the shop's requests, and FrontURL its
// address inside the cluster.
const (
	Front    = "nginx"
	FrontURL = "http://nginx.shop:8080"
)

// Manifests holds manifests/*.yaml.
//
//go:embed manifests/*.yaml
var Manifests embed.FS

// Mixed holds mixed/*.yaml: two services more, whose languages have agents. Product pages ask
// them, checkouts do not.
//
//go:embed mixed/*.yaml
var Mixed embed.FS

// PagePath comes before the marker of a product page: nginx, frontend, then inventory, which
// asks pricing, and ratings, which asks reviews, which asks pricing.
const PagePath = "/pages/"

var (
	// WithAgents are the Deployments that serve product pages and get language agents.
	WithAgents = []string{"inventory", "ratings", "reviews"}
	// PageServices are all Deployments that serve a product page.
	PageServices = append([]string{"nginx", "frontend", "pricing"}, WithAgents...)
)

// Call is one request that serves another: who asks whom for what.
type Call struct {
	Client, Server string
	// Path comes before the marker.
	Path string
	// Parent is the index in the same list of the request that the client is working
	// on; -1 for the request that comes from outside.
	Parent int
}

// Calls are the requests of one checkout: a whole trace has one server span
// for each, and one client span for each that a service of the shop makes.
var Calls = []Call{
	0: {Client: "", Server: "nginx", Path: "/checkout/", Parent: -1},
	1: {Client: "nginx", Server: "frontend", Path: "/checkout/", Parent: 0},
	2: {Client: "frontend", Server: "catalogue", Path: "/products/", Parent: 1},
	3: {Client: "catalogue", Server: "pricing", Path: "/price/catalogue/", Parent: 2},
	4: {Client: "frontend", Server: "recommender", Path: "/recommendations/", Parent: 1},
	5: {Client: "recommender", Server: "pricing", Path: "/price/recommender/", Parent: 4},
	6: {Client: "frontend", Server: "inventory", Path: "/stock/", Parent: 1},
	7: {Client: "inventory", Server: "pricing", Path: "/price/inventory/", Parent: 6},
}

// PageCalls are the requests of one product page.
var PageCalls = []Call{
	0: {Client: "", Server: "nginx", Path: PagePath, Parent: -1},
	1: {Client: "nginx", Server: "frontend", Path: PagePath, Parent: 0},
	2: {Client: "frontend", Server: "inventory", Path: "/stock/", Parent: 1},
	3: {Client: "inventory", Server: "pricing", Path: "/price/inventory/", Parent: 2},
	4: {Client: "frontend", Server: "ratings", Path: "/ratings/", Parent: 1},
	5: {Client: "ratings", Server: "reviews", Path: "/reviews/", Parent: 4},
	6: {Client: "reviews", Server: "pricing", Path: "/price/reviews/", Parent: 5},
}

// RatingCalls are those of one request to the ratings alone, which an agent begins.
var RatingCalls = []Call{
	0: {Client: "", Server: "ratings", Path: "/ratings/", Parent: -1},
	1: {Client: "ratings", Server: "reviews", Path: "/reviews/", Parent: 0},
	2: {Client: "reviews", Server: "pricing", Path: "/price/reviews/", Parent: 1},
}

// Services are the Deployments of the shop that serve a checkout.
var Services = []string{"nginx", "frontend", "catalogue", "recommender", "inventory", "pricing"}
