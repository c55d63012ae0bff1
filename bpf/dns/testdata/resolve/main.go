// Command resolve looks up each name that it reads, with the resolver of Go, and says what came
// of it. A name behind "txt:" is asked for texts.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	r := &net.Resolver{PreferGo: true}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		name := lines.Text()
		var n int
		var err error
		if texts, ok := strings.CutPrefix(name, "txt:"); ok {
			var all []string
			all, err = r.LookupTXT(context.Background(), texts)
			n = len(all)
		} else {
			var all []net.IPAddr
			all, err = r.LookupIPAddr(context.Background(), name)
			n = len(all)
		}
		fmt.Println(name, n, err != nil)
	}
}
