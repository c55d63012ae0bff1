package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/odi-dev/odi/hack/prove/oracle"
	"github.com/odi-dev/odi/hack/prove/stage"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// failure is a conversation of which something is lost or wrong.
type failure struct {
	cast    stage.Cast
	talk    talk.Conversation
	verdict *oracle.Verdict
}

// saved is a failure as a file that can be played again.
type saved struct {
	Cast  stage.Cast
	Talk  talk.Conversation
	Found []oracle.Problem
}

// tries bounds how often a failure is played again.
const tries = 120

// show makes a failure smaller, writes it down and prints it.
func (o *options) show(w io.Writer, s *stage.Stage, f failure) {
	cast := f.cast
	cast.Width = 1
	small := talk.Shrink(f.talk, tries, func(c talk.Conversation) bool {
		v, err := once(s, cast, c)
		if err != nil {
			return false
		}
		o.forgive(v, nil)
		if !o.matters(v) {
			return false
		}
		f.verdict = v
		return true
	})
	describe(w, saved{Cast: f.cast, Talk: small, Found: f.verdict.Problems})
	name := filepath.Join(o.dir, fmt.Sprintf("%d.json", small.Seed))
	raw, err := json.MarshalIndent(saved{Cast: cast, Talk: small, Found: f.verdict.Problems}, "", " ")
	if err == nil {
		err = os.MkdirAll(o.dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, raw, 0o600)
	}
	if err != nil {
		_, _ = fmt.Fprintln(w, "  not written:", err)
		return
	}
	_, _ = fmt.Fprintln(w, "  again:", "go run ./hack/prove/http1 -replay", name)
}

// once plays one conversation.
func once(s *stage.Stage, cast stage.Cast, c talk.Conversation) (*oracle.Verdict, error) {
	report, err := s.Play(cast, []talk.Conversation{c})
	if err != nil {
		return nil, err
	}
	return report.Verdicts[0], nil
}

// describe prints a failure in a few lines.
func describe(w io.Writer, f saved) {
	_, _ = fmt.Fprintf(w, "FAULT %s; ends: %s; client sends %v reads %v, server sends %v reads %v, SO_SNDBUF %d, non-blocking %v\n", f.Cast, f.Talk.End,
		f.Talk.Send[0], f.Talk.Recv[0], f.Talk.Send[1], f.Talk.Recv[1], f.Talk.SendBuf, f.Talk.NonBlock)
	for i, r := range f.Talk.Rounds {
		_, _ = fmt.Fprintf(w, "  round %d, %s:\n", i, r.Flow)
		for _, x := range r.Exchanges {
			_, _ = fmt.Fprintf(w, "    %.70q %s%s\n", x.Request.Method+" "+x.Request.Target+" "+x.Request.Version, parts(x.Request.Lines, x.Request.Body), flags(x.Request.BareLF, x.Request.Lead))
			_, _ = fmt.Fprintf(w, "      -> %v %s %d %q %s%s\n", x.Answer.Interim, x.Answer.Version, x.Answer.Status, x.Answer.Reason, parts(x.Answer.Lines, x.Answer.Body), flags(x.Answer.BareLF, 0))
		}
	}
	for i, found := range f.Found {
		if i == 5 {
			_, _ = fmt.Fprintf(w, "  ... %d more\n", len(f.Found)-i)
			break
		}
		_, _ = fmt.Fprintf(w, "  %s: %.600s\n", found.Kind, found.Text)
	}
}

// parts describes what follows a first line.
func parts(lines []string, b talk.Body) string {
	size := 0
	for _, l := range lines {
		size += len(l) + 2
	}
	text := fmt.Sprintf("lines of %d bytes", size)
	for _, l := range lines {
		if strings.HasPrefix(strings.ToLower(l), "traceparent") {
			text += fmt.Sprintf(" %q", l)
		}
	}
	if b.Framing != talk.NoBody {
		text += fmt.Sprintf(", body by %s of %d %q", b.Framing, b.Size, b.Line)
	}
	if len(b.Chunks) > 0 {
		text += fmt.Sprintf(" in %d chunks, extensions %v, %d zeros, trailers %q", len(b.Chunks), b.Ext, b.Zeros, b.Trailers)
	}
	return text
}

func flags(bare bool, lead int) string {
	text := ""
	if bare {
		text += ", bare LF"
	}
	if lead > 0 {
		text += fmt.Sprintf(", %d empty lines before", lead)
	}
	return text
}

// replayFile plays a conversation that was written down.
func replayFile(name string, w io.Writer) (bool, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	var f saved
	if err := json.Unmarshal(raw, &f); err != nil {
		return false, fmt.Errorf("reading %s: %w", name, err)
	}
	s, err := stage.Open()
	if err != nil {
		return false, err
	}
	v, err := once(s, f.Cast, f.Talk)
	if err != nil {
		return false, err
	}
	f.Found = v.Problems
	describe(w, f)
	return !v.Bad(), s.Close()
}
