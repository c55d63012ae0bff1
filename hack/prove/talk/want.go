package talk

// Faults is a set of what may be said of how an exchange failed.
type Faults uint8

// The members of Faults.
const (
	Fine   Faults = 1 << iota // no error
	Broken                    // any error
)

// Unknown as a size: nothing is asked of it.
const Unknown = -2

// Outcome is what one side's span has to say.
type Outcome struct {
	Status   int // 0: none came
	Faults   Faults
	RespBody int64
	NoStatus bool // 0 is as true as Status
}

// Want is what is to be seen of one exchange.
type Want struct {
	Line    string // the first line
	Method  string
	Target  string
	Head    []byte // without empty lines before it and without what was inserted
	ReqBody int64  // -1: it cannot be known from the head
	Trace   string
	BadOwn  bool
	Server  Outcome
	Client  Outcome
}

// Wants lists what is to be seen, in the order of the requests.
func (c Conversation) Wants() []Want {
	var all []Want
	for i, r := range c.Rounds {
		for _, x := range r.Exchanges {
			w := x.want()
			if i == len(c.Rounds)-1 {
				w.ending(c.End)
			}
			all = append(all, w)
		}
	}
	return all
}

func (x Exchange) want() Want {
	m := x.Request.render()
	w := Want{Line: x.Request.firstLine(), Method: x.Request.Method, Target: x.Request.Target, Head: m.raw[m.begin:m.head], Trace: x.Request.Trace, BadOwn: x.Request.BadOwn}
	switch x.Request.Body.Framing {
	case Chunked:
		w.ReqBody = -1
	case Length:
		w.ReqBody = int64(x.Request.Body.Size)
	}
	o := Outcome{Status: x.Answer.Status, Faults: Fine}
	if !x.Answer.Bare && x.Answer.Body.Framing != NoBody {
		o.RespBody = int64(x.Answer.Body.Size)
	}
	w.Server, w.Client = o, o
	return w
}

// ending changes what is wanted of the last exchange. A client that leaves with the
// status in hand has not failed, and the server has not either.
func (w *Want) ending(end End) {
	switch end {
	case DiesInside, DiesByReset:
		w.Server.Faults, w.Client.Faults = Broken, Broken
		w.Server.RespBody, w.Client.RespBody = Unknown, Unknown
	case Mute:
		w.Server = Outcome{Faults: Broken, RespBody: Unknown}
		w.Client = w.Server
	case Leaves:
		w.Client.Faults = Fine
		w.Client.RespBody = Unknown
		w.Server.Faults, w.Server.RespBody = Fine|Broken, Unknown
	case Abandons:
		w.Client = Outcome{Faults: Broken, RespBody: Unknown}
		w.Server.Faults, w.Server.RespBody, w.Server.NoStatus = Fine|Broken, Unknown, true
	case Upgrades, Tunnels:
		w.Server.RespBody, w.Client.RespBody = Unknown, Unknown
	case EarlyAndGone:
		w.Server.Faults |= Broken
	}
}
