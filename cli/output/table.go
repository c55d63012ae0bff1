package output

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Table is columns and rows; the columns in Wide are shown by -o wide only and
// their cells stand at the end of each row.
type Table struct {
	Columns []string
	Wide    []string
	Rows    [][]string
}

// Print writes the table. Empty cells are shown as "-", so that columns can be cut by
// scripts. On a terminal that is too narrow, cells go on in the next line.
func (t Table) Print(to Page, format Format) error {
	lines := t.cells(format)
	if to.Width == 0 {
		return plainTable(to, lines)
	}
	gap, widths := fit(lines, to.Width)
	for i, line := range lines {
		to.row(i == 0, line, widths, gap)
	}
	return nil
}

// cells are the rows, the first of them the names of the columns.
func (t Table) cells(format Format) [][]string {
	columns := t.Columns
	if format == FormatWide {
		columns = append(append([]string(nil), columns...), t.Wide...)
	}
	head := make([]string, len(columns))
	for i, column := range columns {
		head[i] = strings.ToUpper(column)
	}
	lines := [][]string{head}
	for _, row := range t.Rows {
		cells := make([]string, len(columns))
		for i := range cells {
			cells[i] = "-"
			if i < len(row) && row[i] != "" {
				cells[i] = row[i]
			}
		}
		lines = append(lines, cells)
	}
	return lines
}

func plainTable(to Page, lines [][]string) error {
	w := tabwriter.NewWriter(to, 0, 8, 3, ' ', 0)
	for _, line := range lines {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

// shortest is what a column keeps of a name that has to be cut.
const shortest = 8

// gaps are the spaces between columns that are tried, one after the other.
var gaps = []int{3, 2, 1}

// fit chooses the widths of columns: first cells are broken between words, then inside
// of names, where they have a dash, dot, slash or comma.
func fit(lines [][]string, width int) (gap int, widths []int) {
	widths = make([]int, len(lines[0]))
	byWord, byPart := make([]int, len(widths)), make([]int, len(widths))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			byWord[i] = max(byWord[i], longest(strings.Fields(cell)))
			byPart[i] = max(byPart[i], longest(parts(cell)))
		}
	}
	whole := widths
	for _, gap = range gaps {
		widths = slices.Clone(whole)
		room := width - gap*(len(widths)-1)
		shrink(widths, byWord, room)
		shrink(widths, byPart, room)
		if total(widths, gap) <= width {
			return gap, widths
		}
	}
	// Nothing is left but to cut names anywhere.
	cut := make([]int, len(widths))
	for i, head := range lines[0] {
		cut[i] = min(byPart[i], max(shortest, longest(strings.Fields(head))))
	}
	shrink(widths, cut, width-gap*(len(widths)-1))
	return gap, widths
}

// shrink takes columns off the widest, again and again, down to their least, until all fit.
func shrink(widths, least []int, room int) {
	for total(widths, 0) > room {
		widest := -1
		for i := range widths {
			if widths[i] > least[i] && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func total(widths []int, gap int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

func longest(words []string) int {
	most := 0
	for _, word := range words {
		most = max(most, utf8.RuneCountInString(word))
	}
	return most
}

// row writes one row, in as many lines as its highest cell has.
func (p Page) row(head bool, cells []string, widths []int, gap int) {
	broken := make([][]string, len(cells))
	height := 1
	for i, cell := range cells {
		broken[i] = breakCell(cell, widths[i])
		height = max(height, len(broken[i]))
	}
	for n := range height {
		var line strings.Builder
		owed := 0 // spaces before the next cell that has something
		for i := range cells {
			text := ""
			if n < len(broken[i]) {
				text = broken[i][n]
			}
			if text != "" {
				line.WriteString(strings.Repeat(" ", owed))
				line.WriteString(p.shade(head, cells[i], text))
				owed = 0
			}
			owed += widths[i] - utf8.RuneCountInString(text) + gap
		}
		fmt.Fprintln(p, line.String())
	}
}

// shade paints heads, and cells that say yes, no or not known.
func (p Page) shade(head bool, cell, text string) string {
	word, _, _ := strings.Cut(cell, " ")
	switch {
	case head:
		return p.Paint(Bold, text)
	case word == "yes" || word == "True":
		return p.Paint(Green, text)
	case word == "no" && cell == "no" || word == "False":
		return p.Paint(Red, text)
	case word == "Unknown":
		return p.Paint(Yellow, text)
	}
	return text
}

// breakCell breaks a cell between words, and inside of one that is longer than the column.
func breakCell(cell string, width int) []string {
	var lines []string
	line, space := "", ""
	for word := range strings.FieldsSeq(cell) {
		pieces := []string{word}
		if utf8.RuneCountInString(word) > width {
			pieces = cut(parts(word), width)
		}
		for _, piece := range pieces {
			if line != "" && utf8.RuneCountInString(line+space+piece) > width {
				lines, line, space = append(lines, line), "", ""
			}
			line, space = line+space+piece, ""
		}
		space = " "
	}
	return append(lines, line)
}

// cut leaves no piece longer than a column.
func cut(pieces []string, width int) []string {
	var short []string
	for _, piece := range pieces {
		runes := []rune(piece)
		for len(runes) > width {
			short, runes = append(short, string(runes[:width])), runes[width:]
		}
		short = append(short, string(runes))
	}
	return short
}

// parts are the pieces of words that may stand in lines of their own.
func parts(cell string) []string {
	var pieces []string
	for word := range strings.FieldsSeq(cell) {
		start := 0
		for i, r := range word {
			if strings.ContainsRune("-./,", r) {
				pieces = append(pieces, word[start:i+1])
				start = i + 1
			}
		}
		if start < len(word) {
			pieces = append(pieces, word[start:])
		}
	}
	return pieces
}
