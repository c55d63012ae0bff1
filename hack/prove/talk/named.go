package talk

import (
	"net/http"
	"strings"
)

// Named returns the conversation with targets that begin with a name.
func (c Conversation) Named(name string) Conversation {
	c = c.clone()
	for i := range c.Rounds {
		for j := range c.Rounds[i].Exchanges {
			r := &c.Rounds[i].Exchanges[j].Request
			switch r.Method {
			case http.MethodConnect:
				r.Target = name + r.Target
			default:
				r.Target = "/" + name + strings.TrimLeft(r.Target, "/*")
			}
		}
	}
	return c
}
