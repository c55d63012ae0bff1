package languages

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/languages/language"
)

func TestAgentFor(t *testing.T) {
	node := []language.Release{
		{Version: "0.82.0-odi.1", From: "22.15"},
		{Version: "0.81.2-odi.1", From: "20.6", Below: "22.15"},
		{Version: "0.81.2-odi.1", From: "18.19", Below: "19"},
	}
	python := []language.Release{{Version: "2-odi.1", From: "3.10", Below: "3.16"}, {Version: "1-odi.1", From: "3.10", Below: "3.16"}}
	for name, tc := range map[string]struct {
		releases    []language.Release
		version     string
		choice      Choice
		wantRefusal Refusal
		want        string // the version, or what is valid or supported
	}{
		"the newest that fits":                 {python, "3.11.4", Choice{}, Granted, "2-odi.1"},
		"the first version that fits":          {python, "3.10", Choice{}, Granted, "2-odi.1"},
		"3.9 is older than 3.10":               {python, "3.9.21", Choice{}, UnsupportedRuntime, "from 3.10 to below 3.16"},
		"below is the first that does not fit": {python, "3.16.0", Choice{}, UnsupportedRuntime, "from 3.10 to below 3.16"},
		"a release candidate":                  {python, "3.15.0rc1", Choice{}, Granted, "2-odi.1"},
		"a version that is not known":          {python, "", Choice{}, UnsupportedRuntime, "from 3.10 to below 3.16"},
		"a pinned version":                     {python, "3.11", Choice{Version: "1-odi.1"}, Granted, "1-odi.1"},
		"a pinned version that is unknown":     {python, "3.11", Choice{Version: "3"}, UnknownVersion, "2-odi.1 1-odi.1"},
		"the newest line":                      {node, "24.1.0", Choice{}, Granted, "0.82.0-odi.1"},
		"the older line":                       {node, "22.14.0", Choice{}, Granted, "0.81.2-odi.1"},
		"its lower part":                       {node, "18.20.4", Choice{}, Granted, "0.81.2-odi.1"},
		"a gap":                                {node, "20.5.1", Choice{}, UnsupportedRuntime, "from 18.19 to below 19, from 20.6 to below 22.15, from 22.15"},
		"a pinned line for another runtime":    {node, "20.9.0", Choice{Version: "0.82.0-odi.1"}, UnsupportedRuntime, "from 22.15"},
		"no agent":                             {nil, "8.0.11", Choice{}, NoAgent, ""},
		"a user's image":                       {nil, "8.0.11", Choice{Image: "r.test:5000/a/dotnet:1.9"}, Granted, "1.9-755268d8"},
		"a user's image by digest":             {nil, "", Choice{Image: "r.test/a/dotnet@sha256:00ff"}, Granted, "image-4bbbf9f5"},
		"a user's image without a tag":         {nil, "", Choice{Image: "r.test:5000/dotnet"}, Granted, "image-a763d026"},
		"a user's image with a name":           {python, "3.9", Choice{Image: "r.test/x", Version: "9"}, Granted, "9-b3344c63"},
	} {
		t.Run(name, func(t *testing.T) {
			got := agentFor(tc.releases, tc.version, tc.choice)
			text := got.Release.Version
			switch got.Refusal {
			case UnknownVersion:
				text = got.Valid[0] + " " + got.Valid[1]
			case UnsupportedRuntime:
				text = got.Supported
			}
			if got.Refusal != tc.wantRefusal || text != tc.want {
				t.Errorf("got %d %q, want %d %q", got.Refusal, text, tc.wantRefusal, tc.want)
			}
		})
	}
}

// TestReleases holds what the rooms say to what is read of it: versions that tags, folders and
// annotations take, each with the oldest runtime that it works with.
func TestReleases(t *testing.T) {
	for _, room := range All {
		for _, r := range room.Agents {
			if r.From == "" || unfit.MatchString(r.Version) || len(r.Version) > 63 {
				t.Errorf("%s: %+v", room.Name, r)
			}
			if got := AgentFor(language.Runtime{Language: language.Name(room.Name), Version: r.From}, Choice{Version: r.Version}); got.Refusal != Granted {
				t.Errorf("%s: %+v does not fit the oldest runtime that it names: %+v", room.Name, r, got)
			}
		}
	}
	if diff := cmp.Diff(true, CanHaveAgent(language.Dotnet)); diff != "" {
		t.Error(diff)
	}
}
