package main

import (
	"fmt"
	"strings"
)

// kinds of what goes wrong in the field, by number.
var kinds = []string{
	"bytes", "ends", "PID namespaces", "framing", "parents", "transports",
	"short-lived", "names", "routes", "Kubernetes", "fresh machine", "many processes",
}

// fieldCase is a line of the table: what it proves, and how it is run.
type fieldCase struct {
	kind int
	// proves says in words what is so when the case passes.
	proves string
	// long says that it takes minutes: -short leaves it out.
	long bool

	// pkg and tests are Go tests, each of which must run; tags are those of its build.
	pkg   string
	tests []string
	tags  string
	// command is a proof or a measurement instead, run at the root of the clone.
	command []string
	// figures are patterns of what the case prints; each must be there.
	figures []string
}

func (c fieldCase) kindName() string { return fmt.Sprintf("%2d %s", c.kind, kinds[c.kind]) }

// how is what somebody types to run the case alone.
func (c fieldCase) how() string {
	if c.pkg == "" {
		return strings.Join(c.command, " ")
	}
	tags := ""
	if c.tags != "" {
		tags = " -tags " + c.tags
	}
	return "go test" + tags + " -run '^(" + strings.Join(c.tests, "|") + ")$' ./" + c.pkg
}

// hack is the command line of a tool of hack/.
func hack(args ...string) []string { return append([]string{"hack/run.sh"}, args...) }

// tests makes the list of a case.
func tests(names ...string) []string { return names }

// proved is what the proof of HTTP/1 prints at its end.
var proved = []string{`(\d+ messages) in \d+ conversations`, `lost \d+ \(\d+ of them not counted\), wrong \d+`}

// cases are all, by kind.
var cases = []fieldCase{
	{kind: 0, proves: "bytes of 47 other protocols arrive as sent, none gets a span of another", pkg: "hack/prove/bytes", tests: tests("TestAShortProof"),
		figures: []string{`\d+ messages of \d+ protocols`, `\d+ with faults`}},
	{kind: 0, proves: "the same with 100,000 messages", long: true, command: hack("prove/bytes"),
		figures: []string{`\d+ messages of \d+ protocols`, `\d+ with faults`}},
	{kind: 0, proves: "long first lines, NATS, SIP, broken versions: no header, no span", pkg: "bpf", tests: tests("TestOtherProtocols")},
	{kind: 0, proves: "requests arrive as sent, with one header more at most", pkg: "bpf", tests: tests("TestBytesArriveAsSent", "TestUpgradeThroughProxy")},
	{kind: 0, proves: "corked and pushed pieces arrive without a pause", pkg: "bpf", tests: tests("TestCorkedPieces")},
	{kind: 0, proves: "a killed or ended odi takes no byte with it", pkg: "bpf", tests: tests("TestKillUnderLoad", "TestKillWithGuardUnderLoad", "TestCloseUnderLoad")},
	{kind: 0, proves: "what asks FIONREAD hears how much there is, after fork and exec too", pkg: "bpf",
		tests: tests("TestProgramsThatAskFIONREAD", "TestFIONREADAfterForkAndExec", "TestFIONREADFromTheFirstInstruction", "TestReadsThatBeganBefore", "TestProxyForwards")},
	{kind: 0, proves: "dead targets leave the kernel's tables, pids used again are others", pkg: "bpf", tests: tests("TestTargetsThatEnd", "TestSweep")},
	{kind: 0, proves: "letting go of many processes waits for no walk over connections", pkg: "bpf", tests: tests("TestManyLeaveAtOnce")},
	{kind: 0, proves: "a connection joined in the middle is seen from its next request on", pkg: "bpf", tests: tests("TestJoinedInTheMiddle")},
	{kind: 0, proves: "requests under a lapsed lease are seen, or counted", pkg: "bpf", tests: tests("TestWithoutALease")},
	{kind: 0, proves: "metrics follow a program that execs, sums never go down", pkg: "odiglet/red",
		tests: tests("TestAProcessBecomesAnotherProgram", "TestAnotherResourceStartsAnotherStream", "TestARestartedContainerStartsAnew", "TestSumsNeverGoDown")},
	{kind: 0, proves: "every loss has words, the books of odi run name it", pkg: "cli/run", tests: tests("TestPipelined", "TestReasonLines", "TestTheReaderLeaves")},
	{kind: 0, proves: "each signal reaches the command once, from a terminal too", pkg: "cli/run", tests: tests("TestSignalsComeOnce")},
	{kind: 0, proves: "a file that does not answer holds up no other process", pkg: "odiglet/attach", tests: tests("TestAHangingDetectionHoldsNobody")},

	{kind: 1, proves: "answers that end the connection, read by Python, Node.js and Go", pkg: "bpf", tests: tests("TestAnswersThatEndTheConnection")},
	{kind: 1, proves: "reads of nothing are no end of the connection", pkg: "bpf", tests: tests("TestReadsOfNothing")},
	{kind: 1, proves: "a socket that connects again begins anew", pkg: "bpf", tests: tests("TestConnectsAgain")},
	{kind: 1, proves: "aborted, reset and half-closed connections end rightly", pkg: "bpf", tests: tests("TestFraming", "TestConnectionsThatDieEarly")},

	{kind: 2, proves: "odi and its targets in nested PID namespaces, five ways", pkg: "cli/run", tests: tests("TestRunInPIDNamespaces", "TestRunAPIDInANamespace")},
	{kind: 2, proves: "a whole cluster in a PID namespace: install, instrument, trace", long: true, pkg: "test/e2e", tags: "e2e", tests: tests("TestNestedNode")},

	{kind: 3, proves: "random conversations over IPv4, IPv6, mapped, Unix: 2,500 requests each", pkg: "hack/prove/http1", tests: tests("TestAShortProof"), figures: proved},
	{kind: 3, proves: "the same with 200,000, of every kind", long: true, command: hack("prove/http1", "-messages", "200000"), figures: proved},
	{kind: 3, proves: "up to 1,000 chunks in one call end with their last", pkg: "bpf", tests: tests("TestManyChunksAtOnce")},
	{kind: 3, proves: "HEAD and GET of targets up to 3,000 bytes, whole and cut", pkg: "bpf", tests: tests("TestLongTargets")},
	{kind: 3, proves: "a traceparent behind 60 KB of cookies goes on as one", pkg: "bpf", tests: tests("TestTraceparentBehindCookies")},
	{kind: 3, proves: "uploads of 5 MB from Python, Node.js and Go: one span, one header", pkg: "bpf", tests: tests("TestUploads")},
	{kind: 3, proves: "apt fetches 11 files from nginx, pipelined", pkg: "bpf", tests: tests("TestAptFetchesPipelined")},
	{kind: 3, proves: "bodies that a server drops unread or splices", pkg: "bpf", tests: tests("TestBodiesDroppedUnread", "TestBodiesSpliced")},
	{kind: 3, proves: "answers by sendfile and splice have no other's span", pkg: "bpf",
		tests: tests("TestAnswersBySendfile", "TestAnswersBySplice", "TestPipelinedAnswersBySendfile")},

	{kind: 4, proves: "no wrong parent in nine programs with work of their own", pkg: "hack/prove/parents", tests: tests("TestNoWrongParents")},
	{kind: 4, proves: "the same for every program, at 1, 10 and 100 clients", long: true, command: []string{"make", "prove-parents"},
		figures: []string{`wrong parents \d+, requests without a span \d+`}},
	{kind: 4, proves: "background work is nobody's child", pkg: "bpf", tests: tests("TestBackgroundWork", "TestLateGoroutines", "TestLateThreads")},
	{kind: 4, proves: "pools that outlive or grow inside requests", pkg: "bpf", tests: tests("TestPoolsOutliveRequests", "TestPoolThatGrowsInsideRequests")},
	{kind: 4, proves: "chains through Go, Python, Java, Node.js, nginx, HAProxy", pkg: "bpf", tests: tests("TestChains")},
	{kind: 4, proves: "proxies that rewrite, or forward equal paths", pkg: "bpf", tests: tests("TestRewritingProxy", "TestProxiesWithSamePaths")},
	{kind: 4, proves: "sockets handed to another process, pipelined requests", pkg: "bpf", tests: tests("TestHandover", "TestPipelinedParents")},
	{kind: 4, proves: "a connection at a dead one's address has no parent of its", pkg: "bpf", tests: tests("TestReusedSockets")},
	{kind: 4, proves: "Go built plain, stripped, as PIE, replaced, with a blank in its name", pkg: "bpf", tests: tests("TestGoBuilds")},
	{kind: 4, proves: "a runtime that cannot be linked is said to be so", pkg: "bpf", tests: tests("TestUnlinked")},

	{kind: 5, proves: "Unix sockets: both sides, linked", pkg: "bpf", tests: tests("TestUnixSockets")},
	{kind: 5, proves: "MPTCP: both sides", pkg: "bpf", tests: tests("TestMultipathTCP")},
	{kind: 5, proves: "the PROXY protocol, versions 1 and 2, cut anywhere", pkg: "bpf", tests: tests("TestProxyProtocol")},
	{kind: 5, proves: "client.address is who the PROXY header names", pkg: "bpf/http1", tests: tests("TestPreface")},

	{kind: 6, proves: "1,000 short-lived clients under load, each under its own name", pkg: "cli/run", tests: tests("TestShortLivedClients")},
	{kind: 6, proves: "processes that nobody can read any more are named", pkg: "odiglet/attach",
		tests: tests("TestShortLives", "TestProgramsAreNamedByEvents", "TestAPidThatIsUsedAgain", "TestChildrenOfTargets")},
	{kind: 6, proves: "what a program is, is told before it runs", pkg: "bpf", tests: tests("TestProgramsOfTargets")},

	{kind: 7, proves: "names of services from command lines", pkg: "odiglet/identity/program",
		tests: tests("TestJava", "TestArgfile", "TestNode", "TestPHP", "TestOtherPrograms", "TestDotnet", "TestScriptRuntimes", "TestWrappers", "TestPython", "TestPythonRewritten", "TestRuby", "TestNamesAreClean")},
	{kind: 7, proves: "interpreters take options as the names do", pkg: "odiglet/identity/program", tests: tests("TestRealInterpreters")},
	{kind: 7, proves: "200 recycled workers are one instance, OTEL_* win", pkg: "odiglet/host",
		tests: tests("TestRecycledWorkersAreOneInstance", "TestAProgramThatExecsIsNamedAnew", "TestNamesComeFromTheProcessesOwnFiles")},
	{kind: 7, proves: "secrets in URLs, headers, statements, messages, command lines: none leaves", pkg: "hack/prove/redaction", tests: tests("TestAShortProof"),
		figures: []string{`\d+ secrets in \d+ places`, `\d+ bytes, 0 secrets`}},
	{kind: 7, proves: "statements that are read otherwise than most lose their literals", pkg: "bpf/database",
		tests: tests("TestNoLiteralLeaves", "TestNoLiteralLeavesOfOddStatements")},

	{kind: 8, proves: "routes learned from the paths of real APIs", pkg: "odiglet/routes", tests: tests("TestOracle", "TestFewWordsStayApart", "TestNamesThatSomebodyChoseStayWords")},
	{kind: 8, proves: "200 routes a service at most, stable once learned", pkg: "odiglet/routes",
		tests: tests("TestRoutesAreBounded", "TestNamesAreBounded", "TestServicesAreBounded", "TestNamesOnlyBecomeMoreGeneral")},
	{kind: 8, proves: "patterns that users give come first", pkg: "odiglet/routes", tests: tests("TestPatterns", "TestPatternsComeFirst", "TestPatternsThatAreNone")},

	{kind: 9, proves: "pods of any owner, or of none, are somebody's workload", pkg: "controllers/select", tests: tests("TestOwners")},
	{kind: 9, proves: "the node knows them by their owners, not by names", pkg: "odiglet/node", tests: tests("TestOwnersSayWhoseAPodIs", "TestEveryContainerOfAPodIsRead", "TestStory")},
	{kind: 9, proves: "Jobs by hand, lone Jobs, Rollouts: whose they are", pkg: "internal/workload", tests: tests("TestAbove", "TestOfPod", "TestParseKind")},
	{kind: 9, proves: "addresses as vendors print them: right, or refused by name", pkg: "destinations", tests: tests("TestAddresses")},
	{kind: 9, proves: "secrets with $, braces, quotes, a line break: right, and never shown", pkg: "destinations", tests: tests("TestSecretsAreJudgedAndNotShown")},
	{kind: 9, proves: "a collector sends each secret as it was written", pkg: "controllers", tests: tests("TestDestinationsStory")},
	{kind: 9, proves: "odi's whole life on a cluster", long: true, pkg: "test/e2e", tags: "e2e", tests: tests("TestStory")},

	{kind: 10, proves: "what a test starts is of a listed package", pkg: "internal/archtest",
		tests: tests("TestTestsStartProgramsOfPackages", "TestToolsStartProgramsOfPackages")},
	{kind: 10, proves: "a minimal system passes the unit and live tests and make try", long: true, command: []string{"make", "test-fresh"},
		figures: []string{`\[fresh\] passed after \d+ s`}},

	{kind: 11, proves: "up to 1,000 targets taken on and let go, unselected programs spared", long: true, command: []string{"make", "bench-scale"},
		figures: []string{`attach_s_1000 \S+ s`, `stop_s_1000 \S+ s`, `exec_odi_cpu_ms \S+ ms`}},
	{kind: 11, proves: "programs of cgroups that nobody selected are not told of", pkg: "bpf", tests: tests("TestIgnoredCgroups", "TestWantedNames", "TestTargetsAreAlwaysTold")},
}
