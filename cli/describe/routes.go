package describe

import (
	"fmt"
	"strconv"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/nodeapi"
)

// routesShown fits a screen; -o wide, json and yaml show all.
const routesShown = 20

// printRoutes prints the routes that spans are named after, the most used first.
func printRoutes(out output.Page, all []nodeapi.Route, more int, format output.Format) error {
	if len(all) == 0 {
		return nil
	}
	shown := all
	if format != output.FormatWide && len(all) > routesShown {
		shown = all[:routesShown]
	}
	t := output.Table{Columns: []string{"route", "requests", "side", "server"}, Wide: []string{"service"}}
	for _, r := range shown {
		side := "server"
		if r.Server != "" {
			side = "client"
		}
		t.Rows = append(t.Rows, []string{r.Route, strconv.FormatUint(r.Requests, 10), side, r.Server, r.Service})
	}
	fmt.Fprintln(out)
	if err := t.Print(out, format); err != nil {
		return err
	}
	if more += len(all) - len(shown); more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	return nil
}
