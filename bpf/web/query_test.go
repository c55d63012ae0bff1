package web

import "testing"

func TestOnlyPagesOfListsAreShown(t *testing.T) {
	for query, want := range map[string]string{
		"page=2":                        "page=2",
		"page=2&token=2":                "page=2&token=REDACTED",
		"per_page=50&Limit=10&OFFSET=0": "per_page=50&Limit=10&OFFSET=0",
		"order=desc&order=ASC":          "order=desc&order=ASC",
		"order=12345":                   "order=REDACTED",
		"page=4111111":                  "page=REDACTED",
		"page=2a":                       "page=REDACTED",
		"page=":                         "page=REDACTED",
		"page":                          "REDACTED",
		"page=%32":                      "page=REDACTED",
		"page=-1":                       "page=REDACTED",
		"id=7&user=2":                   "id=REDACTED&user=REDACTED",
		"page=1=2":                      "page=REDACTED",
	} {
		if got := redact(query); got != want {
			t.Errorf("%s becomes %s, want %s", query, got, want)
		}
	}
}
