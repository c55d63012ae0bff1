package instrument

import (
	"fmt"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// rollout is the value of --rollout; empty when nobody says.
type rollout odiv1.RolloutMode

// modes in the order of help.
var modes = []string{string(odiv1.RolloutAuto), string(odiv1.RolloutManual)}

// String is the value as written.
func (r *rollout) String() string { return string(*r) }

// Set takes the value of the flag and refuses unknown ones.
func (r *rollout) Set(text string) error {
	for _, known := range modes {
		if strings.EqualFold(text, known) {
			*r = rollout(known)
			return nil
		}
	}
	return fmt.Errorf("valid are %s", strings.Join(modes, ", "))
}

// Type is shown in help.
func (r *rollout) Type() string { return "mode" }

// agents are the values of --agent.
type agents []odiv1.AgentChoice

// String lists the values as written.
func (a *agents) String() string {
	words := make([]string, 0, len(*a))
	for _, choice := range *a {
		words = append(words, choice.Language+"="+choice.Version+choice.Image)
	}
	return strings.Join(words, ",")
}

// Set takes language=version, one that this odi knows, or language=image.
func (a *agents) Set(text string) error {
	name, what, ok := strings.Cut(text, "=")
	if !ok || what == "" {
		return fmt.Errorf("it is <language>=<version> or <language>=<image>")
	}
	if !languages.CanHaveAgent(language.Name(name)) {
		return fmt.Errorf("there is no agent for %s; there are agents for %s", name, strings.Join(withAgents(), ", "))
	}
	choice := odiv1.AgentChoice{Language: name}
	if strings.Contains(what, "/") {
		choice.Image = what
	} else {
		choice.Version = what
	}
	if known := languages.AgentFor(language.Runtime{Language: language.Name(name)}, languages.Choice{Version: choice.Version, Image: choice.Image}); known.Refusal == languages.UnknownVersion {
		if len(known.Valid) == 0 {
			return fmt.Errorf("odi brings no agent for %s; name an image that has one: %s=<image>", name, name)
		}
		return fmt.Errorf("odi knows no version %s of the agent for %s; valid are %s", what, name, strings.Join(known.Valid, ", "))
	}
	*a = append(slices.DeleteFunc(*a, func(have odiv1.AgentChoice) bool { return have.Language == name }), choice)
	return nil
}

// Type is shown in help.
func (a *agents) Type() string { return "language=version" }

func withAgents() []string {
	var names []string
	for _, room := range languages.All {
		if languages.CanHaveAgent(language.Name(room.Name)) {
			names = append(names, room.Name)
		}
	}
	return names
}

// merge puts choices over those that are there; what is not named stays.
func merge(have []odiv1.AgentChoice, choices []odiv1.AgentChoice) []odiv1.AgentChoice {
	merged := slices.Clone(have)
	for _, choice := range choices {
		i := slices.IndexFunc(merged, func(h odiv1.AgentChoice) bool { return h.Language == choice.Language })
		if i < 0 {
			merged = append(merged, choice)
			continue
		}
		merged[i] = choice
	}
	return merged
}
