package language

// Release is one version of odi's agent for a language: the files of an image that is called
// odi-agent-NAME:VERSION, NAME being that of the room.
type Release struct {
	// Version of the agent and of odi's part of it, for example 2.33.1-odi.1. What lies in an
	// image of a version never changes.
	Version string
	// From is the oldest version of the runtime that it works with; Below, unless empty, the first
	// that it does not work with. Both compare number by number.
	From, Below string
}

// Root is the folder of an agent's files in a container that has it, the same whether they come by
// image volume or by init container. State has a file for each state that a process can say.
func Root(name string, release Release) string {
	return "/odi/" + name + "/" + release.Version + "/agent"
}
