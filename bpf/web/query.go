package web

import "strings"

// pageDigits bound a number that says which part of a list is asked for; what has more may name somebody.
const pageDigits = 6

// pages are the keys by which lists are asked for in parts, as most frameworks have them.
var pages = []string{"page", "per_page", "page_size", "pagesize", "limit", "offset", "size"}

// shown says that the value of a key is no secret: a short number of a page, or the direction of an order. It is
// a short list on purpose, for what else a query holds the applications know alone.
func shown(key, value string) bool {
	switch {
	case value == "" || len(value) > pageDigits:
		return false
	case strings.EqualFold(key, "order"):
		return strings.EqualFold(value, "asc") || strings.EqualFold(value, "desc")
	case !isNumber(value):
		return false
	}
	for _, page := range pages {
		if strings.EqualFold(key, page) {
			return true
		}
	}
	return false
}

// named says that a key is one of those whose values the user wants to see. Some servers
// take a semicolon for the end of a value: then there is more in it than that.
func named(key, value string, keys []string) bool {
	if strings.ContainsRune(value, ';') {
		return false
	}
	for _, k := range keys {
		if strings.EqualFold(key, k) {
			return true
		}
	}
	return false
}

func isNumber(value string) bool {
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return false
		}
	}
	return true
}
