// Package exit maps the error of a command to odi's exit code:
// 0 done, 1 failed, 2 bad input.
package exit
