// What make.sh builds go.opentelemetry.io/auto of: the version, and by go.sum what it is.
module github.com/odi-dev/odi/hack/bench/auto

go 1.26.0

require go.opentelemetry.io/auto v0.24.0 // indirect

// Which its go.mod takes for a folder beside it.
require go.opentelemetry.io/auto/sdk v1.2.1 // indirect
