package certificates

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// after is what decide makes of what there is, with the names of what changes.
func after(t *testing.T, in Input) (Input, []string) {
	t.Helper()
	secrets, err := decide(in)
	if err != nil {
		t.Fatal(err)
	}
	next := Input{Namespace: in.Namespace, Now: in.Now, Secrets: map[string]map[string][]byte{}}
	var changed []string
	for _, s := range secrets {
		next.Secrets[s.name] = s.data
		if s.changed {
			changed = append(changed, s.name)
		}
	}
	return next, changed
}

func TestWhatIsIssuedWhen(t *testing.T) {
	all := []string{authoritiesName, gatewayName, nodeCollectorName, odigletName, webhookName}
	tests := map[string]struct {
		change func(*Input)
		want   []string
	}{
		"nothing while all is well": {change: func(*Input) {}},
		"certificates that have a month left are renewed": {
			change: func(in *Input) { in.Now = start.Add(61 * 24 * time.Hour) }, want: all[1:],
		},
		"a Secret that is gone comes back alone": {
			change: func(in *Input) { delete(in.Secrets, odigletName) }, want: []string{odigletName},
		},
		"so does one that somebody damaged": {
			change: func(in *Input) { in.Secrets[gatewayName]["server.key"] = []byte("x") }, want: []string{gatewayName},
		},
		"what somebody adds is theirs": {change: func(in *Input) { in.Secrets[gatewayName]["more.crt"] = []byte("x") }},
		"a certificate of another authority does not stay": {
			change: func(in *Input) {
				other, _ := after(t, Input{Namespace: "odi-system", Now: start})
				in.Secrets[odigletName] = other.Secrets[odigletName]
			},
			want: []string{odigletName},
		},
		"without authorities all is new":      {change: func(in *Input) { delete(in.Secrets, authoritiesName) }, want: all},
		"a new authority is only trusted yet": {change: func(in *Input) { in.Now = start.Add(9*365*24*time.Hour + time.Hour) }, want: all},
		"another namespace means other hosts": {change: func(in *Input) { in.Namespace = "x" }, want: []string{gatewayName, nodeCollectorName, webhookName}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in, _ := after(t, Input{Namespace: "odi-system", Now: start})
			tc.change(&in)
			next, changed := after(t, in)
			if !slices.Equal(changed, tc.want) {
				t.Errorf("changed: %v, want %v", changed, tc.want)
			}
			if _, again := after(t, next); len(again) > 0 {
				t.Errorf("a second pass changes %v", again)
			}
		})
	}
}

func TestEachComponentGetsWhatItNeedsAlone(t *testing.T) {
	in, _ := after(t, Input{Namespace: "odi-system", Now: start})
	want := map[string][]string{
		odigletName:       {"client.crt", "client.key", "node-collector.crt"},
		nodeCollectorName: {"client.crt", "client.key", "clients.crt", "gateway.crt", "server.crt", "server.key"},
		gatewayName:       {"clients.crt", "server.crt", "server.key"},
	}
	for name, keys := range want {
		if got := slices.Sorted(maps.Keys(in.Secrets[name])); !slices.Equal(got, keys) {
			t.Errorf("%s has %v, want %v", name, got, keys)
		}
		for _, hop := range []string{"node-collector", "gateway"} {
			for key, value := range in.Secrets[name] {
				if bytes.Contains(value, in.Secrets[authoritiesName][hop+".key"]) {
					t.Errorf("%s of %s is an authority's key", key, name)
				}
			}
		}
	}
	if bytes.Equal(in.Secrets[gatewayName]["clients.crt"], in.Secrets[nodeCollectorName]["clients.crt"]) {
		t.Error("both hops have one authority: an odiglet could send to the gateway")
	}
}

func TestAuthoritiesThatCannotBeReadAreNotReplaced(t *testing.T) {
	in, _ := after(t, Input{Namespace: "odi-system", Now: start})
	in.Secrets[authoritiesName]["gateway.key"] = nil
	if _, err := decide(in); err == nil {
		t.Error("they were replaced")
	}
}
