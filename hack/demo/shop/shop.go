package shop

import "embed"

// Namespace is where the manifests put the shop.
const Namespace = "shop"

// Front is the service that takes the shop's requests; FrontURL is its address inside
// the cluster, and SecureURL that for HTTPS, with a certificate that nobody can check.
const (
	Front     = "nginx"
	FrontURL  = "http://nginx.shop:8080"
	SecureURL = "https://nginx.shop:8443"
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

// Stored holds stored/*.yaml: the service of orders, its databases, and the service of what is in stock.
//
//go:embed stored/*.yaml
var Stored embed.FS

// Everything is what the demo deploys.
var Everything = []embed.FS{Manifests, Mixed, Stored}

// OrderPath comes before the marker of an order: nginx, frontend, orders, which asks Redis, and
// where it is not there stock by gRPC (which asks Redis), PostgreSQL over TLS, and Redis again.
const OrderPath = "/orders/"

// Database is the Deployment that keeps orders.
const Database = "postgres"

// OrderServices are the Deployments whose spans are in the trace of an order.
var OrderServices = []string{"nginx", "frontend", "orders", "stock"}

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
	// Method is that of a call of gRPC, which has no path and no marker.
	Method string
	// Parent is the index in the same list of the request that the client is working
	// on; -1 for the request that comes from outside.
	Parent int
	// TLS says that it goes over TLS.
	TLS bool
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

// OrderCalls are the requests of an order that nobody has asked for before, at SecureURL.
var OrderCalls = []Call{
	0: {Client: "", Server: "nginx", Path: OrderPath, Parent: -1, TLS: true},
	1: {Client: "nginx", Server: "frontend", Path: OrderPath, Parent: 0},
	2: {Client: "frontend", Server: "orders", Path: "/stored/", Parent: 1},
	3: {Client: "orders", Server: "stock", Method: "shop.Stock/Reserve", Parent: 2},
}

// Statement is what a service asks of a database.
type Statement struct {
	Client string
	// System and Operation are db.system.name and db.operation.name.
	System, Operation string
	// Parent is the index of the request that the client is working on.
	Parent int
	// TLS says that it goes over TLS.
	TLS bool
}

// OrderStatements are those of OrderCalls, in their order.
var OrderStatements = []Statement{
	{Client: "orders", System: "redis", Operation: "GET", Parent: 2},
	{Client: "stock", System: "redis", Operation: "INCR", Parent: 3},
	{Client: "orders", System: "postgresql", Operation: "INSERT", Parent: 2, TLS: true},
	{Client: "orders", System: "redis", Operation: "SET", Parent: 2},
}

// RatingCalls are those of one request to the ratings alone, which an agent begins.
var RatingCalls = []Call{
	0: {Client: "", Server: "ratings", Path: "/ratings/", Parent: -1},
	1: {Client: "ratings", Server: "reviews", Path: "/reviews/", Parent: 0},
	2: {Client: "reviews", Server: "pricing", Path: "/price/reviews/", Parent: 1},
}

// Services are the Deployments of the shop that serve a checkout.
var Services = []string{"nginx", "frontend", "catalogue", "recommender", "inventory", "pricing"}
