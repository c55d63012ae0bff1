package bpf

//go:generate go run ./protocols/header rooms.h
//go:generate go tool -modfile=../hack/tools/gen/go.mod bpf2go -cc clang-19 -strip llvm-strip-19 -no-global-types -target amd64,arm64 -cflags "-O2 -g -mcpu=v3 -fms-extensions -Wno-microsoft-anon-tag -Wall -Wno-unused-function -Werror" kernel engine.bpf.c -- -I/usr/include/x86_64-linux-gnu
//go:generate go tool -modfile=../hack/tools/gen/go.mod bpf2go -cc clang-19 -strip llvm-strip-19 -no-global-types -target amd64,arm64 -cflags "-O2 -g -mcpu=v3 -fms-extensions -Wno-microsoft-anon-tag -Wall -Wno-unused-function -Werror" sessions sessions.bpf.c -- -I/usr/include/x86_64-linux-gnu
