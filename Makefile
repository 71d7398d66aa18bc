# What one does in this repository. The steps themselves are in .ci/run, so that
# they are the same here and there.

.PHONY: check test race fuzz bench plots gen

# Everything that is quick: format, vet, staticcheck, go.mod files, build, and
# the repository's own rules.
check:
	.ci/run format vet staticcheck tidy build rules

test:
	.ci/run test

# The packages with goroutines, under the race detector.
race:
	.ci/run race

# Each fuzz test for a while: make fuzz FUZZ=1000000x, or FUZZ=10m.
fuzz:
	.ci/run fuzz

# Peers and floors in one run; flags in BENCH, such as BENCH='-help'.
bench:
	go run ./bench/compare $(BENCH)

# The figures of docs/overlay.md, from the data beside them; PLOTS='-measure scale'
# measures first.
plots:
	go run ./bench/plots $(PLOTS)

# X.pb.go beside each X.proto. The plugin is pinned in tools.mod; protoc is
# Debian's protobuf-compiler, of which the version below is known to give what
# is committed.
PROTOC_VERSION := 3.21.12
PROTOS = $(shell find . -name '*.proto' -not -path '*/.*' -not -path '*/testdata/*' -not -path './bench/peers/*' | sort)

gen:
	@test "$$(protoc --version)" = "libprotoc $(PROTOC_VERSION)" || \
		{ echo "gen: protoc $(PROTOC_VERSION) is needed (apt-get install protobuf-compiler)" >&2; exit 1; }
	go build -modfile=tools.mod -o .bin/ github.com/gogo/protobuf/protoc-gen-gogofaster
	@set -e; for proto in $(PROTOS); do \
		echo "protoc $$proto"; \
		( PATH="$(CURDIR)/.bin:$$PATH"; cd "$${proto%/*}"; \
		  protoc --gogofaster_out=paths=source_relative:. "$${proto##*/}" ); \
	done
