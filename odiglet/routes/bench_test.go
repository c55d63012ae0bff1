package routes

import (
	"fmt"
	"syscall"
	"testing"
)

// cpu is the time that this process has worked; the clock on the wall counts the neighbours too.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkName(b *testing.B) {
	for name, path := range map[string]string{
		"a word":        "/hello",
		"a number":      "/orders/4711/items/3",
		"a uuid":        "/api/v1/orders/3f2504e0-4f89-41d3-9a0c-0305e82c3301/items",
		"a learned one": "/users/" + nickname(7) + "/posts",
		"a static file": "/assets/js/app.3f9a1b2c.js",
		"a form":        "/odata/Orders(17)/lines/4.json",
		"not found":     "/wp-content/plugins/x.php",
	} {
		b.Run(name, func(b *testing.B) {
			book := NewBook()
			for i := range 200 {
				server(book, "/users/"+nickname(i)+"/posts")
				server(book, fmt.Sprint("/orders/", i))
			}
			q := Query{Service: Service{"shop", "cart"}, Method: "GET", Path: path, Status: 200}
			if name == "not found" {
				q.Status = 404
			}
			book.Name(&q)
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				book.Name(&q)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

func BenchmarkPatterns(b *testing.B) {
	var texts []string
	for i := range MaxPatterns {
		texts = append(texts, fmt.Sprintf("/api/%s/{id}/%s", nickname(i%10), nickname(i)))
	}
	p, err := Compile(texts)
	if err != nil {
		b.Fatal(err)
	}
	book := NewBook()
	q := Query{Method: "GET", Path: "/api/" + nickname(9) + "/17/" + nickname(99), Status: 200, Patterns: p}
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		book.Name(&q)
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}
