// Package exit maps the error of a command to odi's exit code:
// 0 done, 1 failed, 2 bad input, 3 looked and found something broken.
package exit
