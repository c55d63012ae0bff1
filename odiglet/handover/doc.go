// Package handover says who reports the requests of a process that was started
// with a language agent: the odiglet or the agent, never both and never nobody.
//
// From what the process says by its marker, what the node collector has got from
// the agent, and time, to a verdict for each request. odiglet/attach makes a
// Process and tells it what it sees; odiglet/spans asks it about each request;
// odiglet/node brings the collector's word. docs/agents.md has it for users.
package handover
