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
		if got := redact(query, nil); got != want {
			t.Errorf("%s becomes %s, want %s", query, got, want)
		}
	}
}

func TestNamedKeysAreShown(t *testing.T) {
	keys := []string{"q", "filter%5Bname%5D", "lang"}
	for query, want := range map[string]string{
		"q=red+shoes&token=s":       "q=red+shoes&token=REDACTED",
		"Q=a=b&LANG=":               "Q=a=b&LANG=",
		"filter%5Bname%5D=x&qq=1":   "filter%5Bname%5D=x&qq=REDACTED",
		"filter[name]=x&q&page=2":   "filter[name]=REDACTED&REDACTED&page=2",
		"=q&q%3Dx=1&amp;q=2":        "=REDACTED&q%3Dx=REDACTED&amp;q=REDACTED",
		"lang=de;token=hunter2&q=1": "lang=REDACTED&q=1",
	} {
		if got := redact(query, keys); got != want {
			t.Errorf("%s becomes %s, want %s", query, got, want)
		}
	}
}
