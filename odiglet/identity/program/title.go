package program

import (
	"regexp"
	"strings"
)

// titles are what servers write over their command line.
var titles = []*regexp.Regexp{
	regexp.MustCompile(`^gunicorn: [a-z]+ \[(.+)\]$`),               // gunicorn: worker [shop.wsgi:application]
	regexp.MustCompile(`^puma(?:: cluster worker)?[ :].*\[(.+)\]$`), // puma 6.4.0 (tcp://0.0.0.0:9292) [shop]
	regexp.MustCompile(`^sidekiq [0-9.]+ (\S+) \[`),                 // sidekiq 7.2.0 shop [0 of 5 busy]
}

// title reads a command line that its process has written over; empty if it has not.
func (c context) title() string {
	if !c.rewritten() {
		return ""
	}
	for _, t := range titles {
		if found := t.FindStringSubmatch(c.argv0); found != nil {
			if told := c.appName(found[1]); told != "" {
				return told
			}
			if !appReference.MatchString(found[1]) {
				return found[1]
			}
		}
	}
	return ""
}

// rewritten says whether argv[0] is a sentence.
func (c context) rewritten() bool {
	return len(strings.Trim(strings.Join(c.words, ""), " ")) == 0 && strings.ContainsAny(c.argv0, " :")
}

// titleWords are the words of a title that still begins with what was run: "npm start".
func (c context) titleWords() []string {
	if !c.rewritten() {
		return nil
	}
	words := strings.Fields(c.argv0)
	if len(words) > 0 {
		words[0] = strings.TrimRight(words[0], ":")
	}
	return words
}
