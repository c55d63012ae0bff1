package web

import "testing"

// TestPathParametersAreHidden: sessions are told in paths, too.
func TestPathParametersAreHidden(t *testing.T) {
	for target, want := range map[string]string{
		"/cart;jsessionid=S3CRET":             "/cart;jsessionid=REDACTED",
		"/a;v=1;t=S3CRET/b;c;d=?page=2":       "/a;v=REDACTED;t=REDACTED/b;c;d=",
		"/plain/path":                         "/plain/path",
		"http://u:S3CRET@h/a;x=S3CRET=S3CRET": "/a;x=REDACTED",
	} {
		if got := ParseTarget("GET", target, nil).Path; got != want {
			t.Errorf("%s is told as %s, want %s", target, got, want)
		}
	}
}
