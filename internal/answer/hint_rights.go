package answer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/odi-dev/odi/destinations"
)

// largestSkew in seconds: signatures and tokens mostly allow five minutes.
const largestSkew = 300

var refused = answers("401", "403", "Unauthenticated", "PermissionDenied")

// allowing are clues of credentials, tenants, regions and clocks.
var allowing = []clue{
	{all(refused, says("expired")), func(q question) string {
		return fmt.Sprintf("The key has expired. Make a new one, and store it: odi destination add %s --name %s --replace", q.Type.Name, q.Name)
	}},
	{offClock, func(q question) string {
		return fmt.Sprintf("The clock of the gateway's node is %s the backend's: set it (NTP).", apart(q.SkewSeconds))
	}},
	{says("too far in the future", "in the future", "too old", "timestamp out of range", "out of bounds"), always(
		"It does not take the time on the data: compare the clock of the gateway's node with the backend's.")},
	{tenantMissing, tenantHint},
	{all(refused, keyless), func(q question) string { return "No key is set. " + q.keyFields() }},
	{all(refused, regional), func(q question) string {
		field, _ := q.region()
		return fmt.Sprintf("A key is of one region or site: is %s that of the key? Then look whether it may write (ingest), and was copied whole.", field)
	}},
	{all(refused, func(q question) bool { return q.has("header_name") }), func(q question) string {
		name := q.Config["header_name"]
		if name == "" {
			name = "authorization"
		}
		return fmt.Sprintf("The key is sent as the header %s, as it is: does the backend want another, or a word before the key, as Bearer?", name)
	}},
	{refused, always("Is it a key that may write (ingest), of this account and copied whole? Has it been withdrawn?")},
}

// offClock fits a refusal where the clocks differ.
func offClock(q question) bool {
	return (refused(q) || answers("400", "InvalidArgument")(q)) && (q.SkewSeconds > largestSkew || q.SkewSeconds < -largestSkew)
}

func apart(seconds int64) string {
	if seconds < 0 {
		return fmt.Sprintf("%d minutes behind", -seconds/60)
	}
	return fmt.Sprintf("%d minutes ahead of", seconds/60)
}

// tenantMissing fits what Loki, Mimir, Tempo and others say of a tenant.
func tenantMissing(q question) bool {
	return (refused(q) || answers("400", "404", "InvalidArgument", "NotFound")(q)) &&
		q.mentions("no org id", "x-scope-orgid", "tenant", "organization id", "org_id", "orgid")
}

// tenantFields are names of what tells tenants apart.
var tenantFields = []string{"tenant", "organization", "org", "account", "instance_id", "account_id", "project", "dataset"}

func tenantHint(q question) string {
	for _, name := range tenantFields {
		if f, found := q.Type.Field(name); found {
			return fmt.Sprintf("It wants to know whose the data is: set %s (%s), now %s.", f.Name, strings.TrimSuffix(f.Help, "."), valueOf(q, f))
		}
	}
	return "It wants to know whose the data is: a header names the tenant. The type otlphttp takes any, as X-Scope-OrgID."
}

// keyless fits a destination without any secret, of a type that takes one.
func keyless(q question) bool { return !q.Secret && len(q.Type.SecretFields()) > 0 }

func (q question) keyFields() string {
	return "This type takes: " + strings.Join(q.Type.SecretFields(), ", ") + "."
}

func regional(q question) bool {
	_, has := q.region()
	return has
}

// regionFields are names of what says where an account lives.
var regionFields = []string{"region", "site", "realm", "host", "cluster", "zone", "environment", "domain"}

// region is the field that says where the account lives, with its value.
func (q question) region() (string, bool) {
	for _, f := range q.Type.Fields {
		if !f.Secret && f.Address == "" && (slices.Contains(regionFields, f.Name) || strings.HasSuffix(f.Name, "_region")) {
			return f.Name + " (" + valueOf(q, f) + ")", true
		}
	}
	return "", false
}

// valueOf a field that is no secret, for people.
func valueOf(q question, f destinations.Field) string {
	if value := q.Config[f.Name]; value != "" {
		return value
	}
	if f.Default != "" {
		return f.Default
	}
	return "not set"
}
