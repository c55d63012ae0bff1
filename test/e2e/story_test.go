//go:build e2e

package e2e

import "testing"

// TestStory is odi's life on one cluster. A step that the rest stands on ends
// the story when it fails; the other checks are independent.
func TestStory(t *testing.T) {
	w := openWorld(t)
	w.must(t, "the shop runs before odi comes", w.deployShop)
	t.Run("commands say what is missing when odi is not installed", w.checkNotInstalled)
	t.Run("odi check finds nothing in the way, and leaves nothing", w.checkBefore)

	before := w.snapshotLeftovers(t)
	w.must(t, "odi install", w.installByCLI)
	pods := w.snapshotPods(t)
	w.must(t, "odi destination add jaeger", w.addJaegerByCLI)
	w.must(t, "the first span comes within 5 s of odi instrument", w.checkFirstSpan)

	t.Run("one whole trace for each request", w.checkWholeTraces)
	t.Run("names and attributes follow the conventions", w.checkConventions)
	t.Run("durations match the client's clock", w.checkDurations)
	t.Run("an incoming traceparent is honoured", w.checkTraceparent)
	t.Run("a request with a body is whole too", w.checkBodies)
	t.Run("no wrong parent among 2000 requests, 50 at a time", w.checkManyAtOnce)
	t.Run("who asks whom is counted", w.checkGraph)
	t.Run("pods of any owner and shape are traced", w.checkOwners)
	t.Run("a pod that claims to be another is not believed", w.checkStranger)
	t.Run("odi check finds everything at work", w.checkAfter)
	t.Run("odi diagnose has what helps", w.checkDiagnose)
	t.Run("bad input is refused with what is valid", w.checkBadInput)
	t.Run("malformed objects are refused with the field path", w.checkMalformedObjects)
	t.Run("odi destination test says what a backend answers", w.checkTestedDestination)
	t.Run("a destination that cannot be reached does not stop the other", w.checkUnreachableDestination)
	t.Run("a killed backend is reported and recovers", w.checkKilledBackend)
	t.Run("kill -9 of the odiglet harms no request", w.checkKilledOdiglet)
	t.Run("kubectl delete pod --force of the odiglet harms no request", w.checkDeletedOdiglet)
	t.Run("no pod restarted and no pod template changed", func(t *testing.T) { w.checkUntouched(t, pods) })
	t.Run("agents come, are taken back where they see nothing, and go", w.checkAgents)
	t.Run("what is asked of PostgreSQL and Redis is below the request that asks", w.checkOrders)
	t.Run("Jaeger kept what it was sent", w.checkJaeger)
	t.Run("odi uninstrument stops spans within 5 s", w.checkUninstrument)
	t.Run("every right of odi's was needed, and no other", w.checkRights)
	t.Run("odi uninstall leaves nothing behind", func(t *testing.T) { w.checkUninstall(t, before) })

	t.Run("by helm install and kubectl apply", func(t *testing.T) { w.checkOtherWay(t, w.installByHelm, w.uninstallByHelm, before) })
	t.Run("by kubectl apply alone", func(t *testing.T) { w.checkOtherWay(t, w.installByApply, w.uninstallByApply, before) })
}
