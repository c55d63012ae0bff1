// Command odi-copy copies an agent's files out of its image: the init container's one command, where a
// cluster has no image volumes. It is static, for the image has neither a shell nor cp.
package main

import (
	"fmt"
	"os"

	"github.com/odi-dev/odi/agents/copytree"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: odi-copy SRC DST: copies the folder SRC to DST, which is created; running it again is safe")
		os.Exit(2)
	}
	if err := copytree.Copy(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "odi-copy:", err)
		os.Exit(1)
	}
}
