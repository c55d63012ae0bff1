module fuzzed.test

go 1.26
