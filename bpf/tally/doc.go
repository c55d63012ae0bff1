// Package tally is about requests that are not recorded, which the kernel counts with those that
// are alike, and tells of no more: by which key it knows them, which of them are worth a place,
// and how much their counts have grown. For the engine.
//
// In the kernel the counts only go up, so that reading them needs no lock; see exchange/tally.h.
package tally
