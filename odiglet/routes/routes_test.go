package routes

import (
	"fmt"
	"strings"
	"testing"
)

// server asks for the route of a request that was answered with 200.
func server(b *Book, path string) string { return answered(b, path, 200) }

func answered(b *Book, path string, status int) string {
	return b.Name(&Query{Method: "GET", Path: path, Status: status}).Route
}

func TestLooks(t *testing.T) {
	for path, want := range map[string]string{
		"/":                     "/",
		"/hello":                "/hello",
		"/hello/1":              "/hello/{id}",
		"/hello/-5":             "/hello/{id}",
		"/hello/":               "/hello",
		"//hello///1//":         "/hello/{id}",
		"/api/v1/users":         "/api/v1/users",
		"/apis/batch/v1beta1/x": "/apis/batch/v1beta1/x",
		"/go/v2.0.0-rc1":        "/go/v2.0.0-rc1",
		"/1.0/instances":        "/1.0/instances",
		"/hosts/10.0.0.1":       "/hosts/{id}",
		"/hosts/52.5200":        "/hosts/{id}",
		"/reports/2026-11-26":   "/reports/{date}",
		"/reports/20261126":     "/reports/{id}",
		"/reports/2026/11/26":   "/reports/{id}/{id}/{id}",
		"/at/2026-11-26T10-00":  "/at/{date}",
		"/at/2026-11-26T10:00Z": "/at/{id}",
		"/o/3f2504e0-4f89-41d3-9a0c-0305e82c3301": "/o/{id}",
		"/o/deadbeef-cafe-babe-face-deadbeefcafe": "/o/{id}",
		"/o/01ARZ3NDEKTSV4RRFFQ69G5FAV":           "/o/{id}",
		"/o/5f3a1bc":                              "/o/{id}",
		"/o/3f9a":                                 "/o/{id}",
		"/o/abc123":                               "/o/{id}",
		"/o/dQw4w9WgXcQ":                          "/o/{id}",
		"/o/KtgtYJbQwXzPqRs":                      "/o/{id}",
		"/o/cus_9s6XKzkNRiz8i3":                   "/o/{id}",
		"/o/prod_NWjs8kKbJWmuuc":                  "/o/{id}",
		"/o/web-7d4b9c6f5-x2x9z":                  "/o/{id}",
		"/o/dGhpcyBpcyBiYXNlNjQ=":                 "/o/{id}",
		"/o/" + strings.Repeat("a", 65):           "/o/{id}",
		"/u/alice@example.com":                    "/u/{id}",
		"/@alice":                                 "/{id}",
		"/wiki/%C3%89cole":                        "/wiki/{id}",
		"/wiki/école":                             "/wiki/école",
		"/tags/c++":                               "/tags/{id}",
		"/blog/what-i-learned-from-a-year-of-go":  "/blog/{id}",
		"/terms-of-service":                       "/terms-of-service",
		"/en-US/docs":                             "/{locale}/docs",
		"/pt_BR/docs":                             "/{locale}/docs",
		"/zh-Hant-TW/docs":                        "/{locale}/docs",
		"/de-de/docs":                             "/{locale}/docs",
		"/to-do":                                  "/to-do",
		"/en/docs":                                "/en/docs",
		"/assets/app.3f9a.js":                     "/assets/{file}",
		"/assets/img/logo.png":                    "/assets/img/{file}",
		"/assets/img/icons/a/b.svg":               "/assets/img/*",
		"/users/17/photos/1.jpg":                  "/users/{id}/photos/{file}",
		"/favicon.ico":                            "/favicon.ico",
		"/robots.txt":                             "/robots.txt",
		"/index.html":                             "/index.html",
		"/orders/17.json":                         "/orders/{id}.json",
		"/orders.json":                            "/orders.json",
		"/orders/17:cancel":                       "/orders/{id}:cancel",
		"/v1/messages:batchGet":                   "/v1/messages:batchGet",
		"/odata/Orders(17)/Lines":                 "/odata/Orders({id})/Lines",
		"/odata/$metadata":                        "/odata/$metadata",
		"/pay;jsessionid=AB12/x":                  "/pay/x",
		"/cars;color=red;year=2012":               "/cars",
		"/api/hello.world":                        "/api/hello.world",
		"/twirp/shop.v1.Cart/AddItem":             "/twirp/shop.v1.Cart/AddItem",
		"/.well-known/openid-configuration":       "/.well-known/openid-configuration",
		"/oauth2/authorize":                       "/oauth2/authorize",
		"/checksum/sha256":                        "/checksum/sha256",
		"/log4j2/x":                               "/log4j2/x",
		"/face2face":                              "/face2face",
		"/step1":                                  "/step1",
		"/pod-0":                                  "/pod-0",
		"/getHTTPUserByID":                        "/getHTTPUserByID",
		"/a/../b":                                 "/a/{id}/b",
		"/a/b/c/d/e/f/g/h/i/j/k/l/m/n":            "/a/b/c/d/e/f/g/h/i/j/k/l/*",
		"/x/\u009b31m":                            "/x/{id}",
		"/x/a\uFFFDb":                             "/x/{id}",
		"/x/<script>":                             "/x/{id}",
		"/x/a b":                                  "/x/{id}",
		"*":                                       "",
		"":                                        "",
	} {
		if got := server(NewBook(), path); got != want {
			t.Errorf("%s is called %s, want %s", path, got, want)
		}
	}
}

func TestWordsBecomeParametersOnceTheyAreMany(t *testing.T) {
	b := NewBook()
	for i := range 10 {
		server(b, "/users/me")
		server(b, fmt.Sprint("/users/", 1000+i))
	}
	for i := range 100 {
		server(b, "/users/"+nickname(i)+"/posts")
		server(b, "/users/"+nickname(i))
	}
	for path, want := range map[string]string{
		"/users/zaphod":         "/users/{id}",
		"/users/zaphod/posts":   "/users/{id}/posts",
		"/users/" + nickname(0): "/users/{id}",
		"/users/17":             "/users/{id}",
		"/users/me":             "/users/me",
		"/users/search":         "/users/search",
	} {
		if got := server(b, path); got != want {
			t.Errorf("%s is called %s, want %s", path, got, want)
		}
	}
	if got := answered(b, "/users/settings", 404); got != "/users/{id}" {
		t.Errorf("a word of the vocabulary that is not found is called %s", got)
	}
}

func TestNumberedWordsAreASeries(t *testing.T) {
	b := NewBook()
	for range 3 {
		for i := range manySteps - 1 {
			if path := fmt.Sprint("/wizard/step-", i); server(b, path) != path {
				t.Errorf("%s is called %s", path, server(b, path))
			}
		}
	}
	for i := range 30 {
		server(b, fmt.Sprint("/products/order-", i))
		server(b, fmt.Sprintf("/users/user%d/posts", i))
		server(b, "/products/new")
	}
	for path, want := range map[string]string{
		"/products/order-1": "/products/{id}", "/products/order-31": "/products/{id}", "/products/order-1000": "/products/{id}",
		"/products/new": "/products/new", "/users/user3/posts": "/users/{id}/posts", "/products/step-3": "/products/step-3",
	} {
		if got := server(b, path); got != want {
			t.Errorf("%s is called %s, want %s", path, got, want)
		}
	}
}

// nickname is a word that no vocabulary has, another one for each number.
func nickname(i int) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var name []byte
	for n := i*7919 + 104729; n > 0; n /= 70 {
		name = append(name, consonants[n%14], vowels[n/14%5])
	}
	return string(name)
}

func TestFewWordsStayApart(t *testing.T) {
	b := NewBook()
	for round := range 50 {
		for i := range manyNew - 1 {
			path := "/api/" + nickname(i)
			if got := server(b, path); got != path {
				t.Fatalf("round %d: %s is called %s", round, path, got)
			}
		}
	}
	t.Log("What has settled stays, however many come later.")
	for i := range 200 {
		server(b, "/api/"+nickname(1000+i))
	}
	for i := range manyNew - 1 {
		path := "/api/" + nickname(i)
		if got := server(b, path); got != path {
			t.Errorf("%s is called %s", path, got)
		}
	}
	if got := server(b, "/api/"+nickname(5000)); got != "/api/{id}" {
		t.Errorf("one of many is called %s", got)
	}
}

func TestScansUseUpNothing(t *testing.T) {
	b := NewBook()
	for i := range 3 {
		server(b, fmt.Sprint("/orders/", i))
	}
	server(b, "/login")
	for i := range 5000 {
		status := []int{404, 404, 403, 400, 405, 401, 0, 502}[i%8]
		path := fmt.Sprintf("/%s/%s.php", nickname(i), nickname(i*31))
		if got := answered(b, path, status); status == 404 && got != Other {
			t.Fatalf("%s is called %s", path, got)
		}
	}
	for i := range 100 {
		path := "/new/" + nickname(i%10)
		if got := server(b, path); got != path {
			t.Fatalf("after the scan, %s is called %s", path, got)
		}
	}
	for path, want := range map[string]string{"/login": "/login", "/orders/9": "/orders/{id}"} {
		if got := answered(b, path, 404); got != want {
			t.Errorf("%s, which is known, is called %s", path, got)
		}
	}
	if n := len(b.List(Service{})); n > 2+10+maxDoubtful+1 {
		t.Errorf("%d routes", n)
	}
}

// TestScansMergeNothing: a wall that answers 403 to everything makes words, but they
// do not show that the position has no end of them.
func TestScansMergeNothing(t *testing.T) {
	b := NewBook()
	for i := range 20 {
		server(b, "/"+nickname(i))
	}
	for i := range 200 {
		answered(b, "/"+nickname(100+i), 403)
	}
	for i := range 20 {
		path := "/" + nickname(i)
		if got := server(b, path); got != path {
			t.Errorf("%s is called %s", path, got)
		}
	}
	if got := answered(b, "/"+nickname(299), 403); got != Other {
		t.Errorf("the last scan is called %s", got)
	}
}

func TestRoutesAreBounded(t *testing.T) {
	b := NewBook()
	names := map[string]bool{}
	for i := range 3000 {
		names[server(b, fmt.Sprintf("/%s/%s/%s", nickname(i%20), nickname(20+i/20%15), nickname(40+i/300)))] = true
	}
	if len(names) != MaxRoutes+1 || !names[Other] {
		t.Errorf("%d names, want %d and %s", len(names), MaxRoutes, Other)
	}
	if n := len(b.List(Service{})); n != MaxRoutes+1 {
		t.Errorf("%d routes are listed", n)
	}
}

func TestNamesAreBounded(t *testing.T) {
	b := NewBook()
	names := map[string]bool{}
	for i := range 100_000 {
		names[server(b, fmt.Sprintf("/%s/%s/%s", nickname(i%997), nickname(i%1009), nickname(i%1013)))] = true
	}
	if len(names) > maxGiven+MaxRoutes {
		t.Errorf("%d names in the life of a service", len(names))
	}
	if got := server(b, "/a/b/c"); got != "/{id}/{id}/{id}" {
		t.Errorf("three parameters are called %s", got)
	}
}

func TestClientsKeepServersApart(t *testing.T) {
	b := NewBook()
	ask := func(server, path string, status int) Name {
		return b.Name(&Query{Client: true, Server: Server{server, 80}, Method: "GET", Path: path, Status: status})
	}
	for i := range 60 {
		ask("users", "/v1/"+nickname(i), 200)
	}
	if got := ask("users", "/v1/"+nickname(99), 200); got.Span != "GET /v1/{id}" {
		t.Errorf("got %+v", got)
	}
	if got := ask("stock", "/v1/"+nickname(99), 200); got.Route != "/v1/"+nickname(99) {
		t.Errorf("another server's path is called %+v", got)
	}
	if got := ask("stock", "/nothing", 404); got != (Name{Span: "GET"}) {
		t.Errorf("a path that was not found is called %+v", got)
	}
	for i := range 1000 {
		ask(nickname(i), "/", 200)
	}
	if n := len(b.tables[side{client: true}].roots); n > maxServers+1 {
		t.Errorf("%d servers", n)
	}
}

func TestServicesAreBounded(t *testing.T) {
	b := NewBook()
	for i := range 2 * maxTables {
		b.Name(&Query{Service: Service{"shop", nickname(i)}, Method: "GET", Path: "/", Status: 200})
		b.Name(&Query{Service: Service{"shop", "kept"}, Method: "GET", Path: "/kept", Status: 200})
	}
	if len(b.tables) != maxTables || len(b.List(Service{"shop", "kept"})) != 1 {
		t.Errorf("%d tables", len(b.tables))
	}
}

func TestSpanNames(t *testing.T) {
	b := NewBook()
	for _, method := range []string{"GET", "POST", "GET", "HTTP"} {
		if got := b.Name(&Query{Method: method, Path: "/a/1", Status: 200}); got.Span != method+" /a/{id}" {
			t.Errorf("got %+v", got)
		}
	}
	if all := b.List(Service{}); len(all) != 1 || all[0].Count != 4 {
		t.Errorf("listed: %+v", all)
	}
}

func TestCutPathsEndInAStar(t *testing.T) {
	b := NewBook()
	for path, cut := range map[string]bool{"/files/abc/de": true, "/files/abc/" + strings.Repeat("x/", 400): false} {
		if got := b.Name(&Query{Method: "GET", Path: path, Cut: cut, Status: 200}).Route; !strings.HasPrefix(got, "/files/abc/") || !strings.HasSuffix(got, "/*") {
			t.Errorf("%s is called %s", path, got)
		}
	}
}
