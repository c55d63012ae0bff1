// Package elf reads the few facts about an executable that detection needs: interpreter, needed libraries,
// build id, sections, exported names, and strings in its read-only data.
//
// It is made for files that other people own and may have forged: every table is capped, every offset is
// checked against the file's size, nothing is allocated from a length that the file claims, and a missing
// or damaged part reads as empty. debug/elf trusts section counts and sizes, so a sparse file of a few
// hundred gigabytes makes it allocate without end.
//
// The node agent's detection calls it; nothing here knows about processes.
package elf
