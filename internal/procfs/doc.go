// Package procfs reads what the kernel says about a live process, and files of its container, safely.
//
// Open pins a process by its /proc/PID directory: once the process has ended every read fails, even if its
// pid has been given to another. Whatever a process can choose itself (arguments, environment, mapping
// names, its files) is hostile: reads are capped, and files are opened below the process's own root with
// openat2, regular files only.
//
// The odiglet's detection and `odi run` call it; it knows nothing about languages.
package procfs
