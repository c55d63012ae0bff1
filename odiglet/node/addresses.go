package node

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// maxHostAddresses bounds those of a node; proxies of Services may add thousands, from
// which nobody sends.
const maxHostAddresses = 1024

// hostAddresses are the node's own, from which pods in its network send: also those of
// bridges to the pods. The odiglet is not in that network, but sees its first process.
func hostAddresses() []netip.Addr {
	var all []netip.Addr
	if f, err := os.Open("/proc/1/net/fib_trie"); err == nil {
		all = append(all, localOf(bufio.NewScanner(f))...)
		_ = f.Close() // it was only read
	}
	if text, err := os.ReadFile("/proc/1/net/if_inet6"); err == nil {
		all = append(all, inet6Of(string(text))...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	all = slices.Compact(all)
	return all[:min(len(all), maxHostAddresses)]
}

// localOf reads fib_trie: an address, and below it "/32 host LOCAL" where it is ours.
func localOf(lines *bufio.Scanner) []netip.Addr {
	var all []netip.Addr
	var last netip.Addr
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if text, ok := strings.CutPrefix(line, "|-- "); ok {
			last, _ = netip.ParseAddr(text)
			continue
		}
		if line == "/32 host LOCAL" && last.IsValid() && !last.IsLoopback() {
			all = append(all, last)
		}
	}
	return all
}

// inet6Of reads if_inet6: the address in hex, and more.
func inet6Of(text string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(text) {
		word, _, _ := strings.Cut(line, " ")
		raw, err := hex.DecodeString(word)
		if err != nil {
			continue
		}
		if a, ok := netip.AddrFromSlice(raw); ok && !a.IsLoopback() {
			all = append(all, a)
		}
	}
	return all
}
