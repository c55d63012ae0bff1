// Package archtest holds the house's rules about who may import whom and how
// large a file may be, as tests. It parses the sources itself: a version that
// asks the go command passes wrongly from the test cache, because the cache
// does not see the files that the command reads.
package archtest
