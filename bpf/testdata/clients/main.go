// Command clients asks a server once it is told to by a line: clients HOST:PORT close|upload TIMES.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func main() {
	server, mode := os.Args[1], os.Args[2]
	times, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		panic(err)
	}
	for i := range times {
		if mode == "close" {
			ask(http.MethodGet, fmt.Sprintf("http://%s/%d", server, i), nil)
			continue
		}
		ask(http.MethodPut, fmt.Sprintf("http://%s/up%d", server, i), bytes.Repeat([]byte("u"), 5_000_000))
		ask(http.MethodGet, fmt.Sprintf("http://%s/after%d", server, i), nil)
	}
}

func ask(method, url string, body []byte) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		panic(fmt.Sprint(url, resp.Status, err))
	}
}
