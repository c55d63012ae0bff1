// Program answers serves HTTP and answers what its queries ask for: a status and so many bytes, after so many milliseconds.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(answer)))
}

func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	ask := func(key string) int { n, _ := strconv.Atoi(r.URL.Query().Get(key)); return n }
	time.Sleep(time.Duration(ask("ms")) * time.Millisecond)
	w.Header().Set("Content-Length", strconv.Itoa(ask("size")))
	w.WriteHeader(ask("status"))
	_, _ = io.WriteString(w, strings.Repeat("x", ask("size")))
}
