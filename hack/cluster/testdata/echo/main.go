// Command echo answers HTTP requests with the address that it was asked at, and
// with the words that it was started with.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	words := strings.Join(os.Args[1:], " ")
	if len(os.Args) > 1 && os.Args[1] == "say" { // For `kubectl exec`.
		fmt.Println(words)
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "look" { // What a node agent would look at.
		for _, path := range []string{"/proc/1/comm", "/proc/self/status"} {
			content, err := os.ReadFile(path)
			fmt.Printf("%s %v\n", content, err)
		}
		_, err := os.Stat("/host/sys/kernel/btf/vmlinux")
		fmt.Println("btf:", err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s\n", r.Host, words) })
	fmt.Println("listening")
	if err := http.ListenAndServe(":8080", nil); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
