// Package stage plays conversations between two processes while an engine watches
// them, and has the oracle judge what it saw.
//
// From: talk.Conversations and a Cast, which says who plays, who is watched and how
// many connections there are at a time. To: an oracle.Verdict for each conversation
// and what the engine counted meanwhile.
package stage
