// Package nodes lets no report be older than its odiglet: from the Leases by which odiglets say that they live
// it makes the condition Ready of NodeInstrumentations Unknown while one is silent. The odiglet itself
// makes it what it is when it speaks again. facts reads the condition.
package nodes
