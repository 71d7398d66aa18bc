package tidy

import "strings"

// place is where a package stands in the lattice.
type place struct {
	// packages are folders; "dir/..." is dir with all below it, which may
	// import each other. The longest pattern that matches a package counts.
	packages string
	// imports are the folders of ours that they may import. The word "below"
	// is every layer under this one.
	imports string
	// modules are those of others that they may import.
	modules string
	// pure says that these are protocol cores: see the rule "pure".
	pure bool
}

const (
	below = "below"

	gogo     = "github.com/gogo/protobuf "
	protobuf = "google.golang.org/protobuf "
	cbor     = "github.com/fxamacker/cbor/v2 "
	uuid     = "github.com/lithammer/shortuuid/v4 "
	backoff  = "github.com/cenkalti/backoff/v5 "
	bbolt    = "go.etcd.io/bbolt "
	otel     = "go.opentelemetry.io/otel "

	// testModules may be imported by every _test.go file.
	testModules = "pgregory.net/rapid go.uber.org/goleak github.com/google/go-cmp github.com/cockroachdb/datadriven " +
		"github.com/anishathalye/porcupine github.com/miekg/dns"

	// harness may be imported by every _test.go file, from whatever layer.
	harness = "internal/... actor/actortest clustertest"
)

// lattice is the policy on imports, from the bottom to the top. Packages in one
// layer are siblings: none imports another unless it is named here, or both
// are matched by the same pattern. A package that no pattern matches has to be
// placed here first.
var lattice = [][]place{
	{ // for the rest to build on
		{packages: "internal/..."},
		{packages: "internal/crowd/crowdtest", imports: "internal/crowd", modules: "go.uber.org/goleak"}, // for tests only
	},
	{ // processes; and pure protocols, which know nothing of them
		{packages: "actor"},
		{packages: "overlay/...", imports: "internal/delay internal/hash", pure: true},
	},
	{ // OTP on one node; the protocols, simulated
		{packages: "internal/sim/...", imports: "overlay/..."},
		{packages: "internal/sim/topology", imports: "overlay/... internal/sim/timeline", modules: "github.com/cockroachdb/datadriven"}, // for tests only
		{packages: "actor/actortest", imports: "actor"},
		{packages: "supervisor", imports: "actor"},
		{packages: "behaviours/internal/order", imports: "actor"},
		{packages: "behaviours/server behaviours/statem behaviours/event", imports: "actor behaviours/internal/order"},
	},
	{ // the packages with sockets; pure data types
		{packages: "remote/wire", imports: "actor", modules: gogo, pure: true},
		{packages: "remote/handshake", imports: "actor remote/wire", pure: true},
		{packages: "remote/session", pure: true},
		{packages: "remote/order", pure: true},
		{packages: "remote/dialect", imports: "overlay/...", modules: gogo, pure: true},
		{packages: "remote/causal", imports: "actor", pure: true},
		{packages: "remote/codec", imports: "actor", modules: gogo + protobuf + cbor},
		{packages: "remote/discovery", modules: "github.com/fsnotify/fsnotify"},
		{packages: "remote/...", imports: below,
			modules: gogo + protobuf + cbor + uuid + backoff + "github.com/klauspost/compress"},
		{packages: "behaviours/pool", imports: below},
		{packages: "crdtactor/crdt/...", pure: true},
	},
	{ // names, placement, replicated state, the bridge
		{packages: "registry/...", imports: below, modules: cbor + uuid + bbolt + "github.com/hashicorp/raft github.com/hashicorp/go-hclog"},
		{packages: "crdtactor", imports: below, modules: cbor + uuid + bbolt},
		{packages: "actor/protoactor", imports: below,
			modules: gogo + protobuf + "github.com/asynkron/protoactor-go"},
	},
	{ // behaviours of a cluster
		{packages: "behaviours/rpc", imports: below, modules: uuid + backoff},
		{packages: "behaviours/mesh", imports: below, modules: backoff + otel + "github.com/sony/gobreaker/v2 github.com/Masterminds/semver/v3"},
		{packages: "behaviours/partition behaviours/adaptive", imports: below},
	},
	{ // the admin API
		{packages: "observer/...", imports: below, modules: "github.com/prometheus/client_golang"},
	},
	{ // one node, everything wired
		{packages: ".", imports: below, modules: uuid + gogo + protobuf + cbor +
			"github.com/prometheus/client_golang go.opentelemetry.io/otel github.com/rs/zerolog"},
	},
	{ // a cluster in one process, for tests
		{packages: "clustertest/...", imports: below},
	},
	{ // imported by none
		{packages: "cmd/...", imports: below, modules: protobuf + "github.com/spf13/cobra"},
		{packages: "examples/...", imports: below, modules: gogo + protobuf + otel + "github.com/asynkron/protoactor-go"},
		{packages: "bench/...", imports: below, modules: gogo + protobuf + "gonum.org/v1/plot github.com/hashicorp/raft " + bbolt},
	},
}

// locate returns where a package stands and the number of its layer.
func locate(dir string) (found place, layer int, ok bool) {
	longest := -1
	for i, places := range lattice {
		for _, p := range places {
			for pattern := range strings.FieldsSeq(p.packages) {
				if within(pattern, dir) && len(pattern) > longest {
					found, layer, ok, longest = p, i, true, len(pattern)
				}
			}
		}
	}
	return found, layer, ok
}

// matchedBy says whether one of the patterns in list matches dir.
func matchedBy(list, dir string) bool {
	for pattern := range strings.FieldsSeq(list) {
		if within(pattern, dir) {
			return true
		}
	}
	return false
}

// sameTree says whether one pattern "tree/..." matches both packages. A package
// with a pattern of its own inside that tree may be imported by the others but
// is bound by its own place.
func sameTree(p place, from, to string) bool {
	for pattern := range strings.FieldsSeq(p.packages) {
		if strings.HasSuffix(pattern, "/...") && within(pattern, from) && within(pattern, to) {
			return true
		}
	}
	return false
}

func checkLattice(t *Tree, r *report) {
	for _, p := range t.Packages {
		if p.Nested {
			continue // held by the rule "modules"
		}
		from, layer, ok := locate(p.Dir)
		if !ok {
			r.at(p.all()[0].Go.Package, "package %s has no place in the lattice", p.Dir)
			continue
		}
		for _, f := range p.all() {
			for _, spec := range f.Go.Imports {
				dir, ours := t.local(importPath(spec))
				switch {
				case ours && !mayImport(from, layer, p.Dir, dir, f.Test):
					r.at(spec.Pos(), "%s may not import %s", p.Dir, dir)
				case !ours && !mayUse(from, importPath(spec), f.Test):
					r.at(spec.Pos(), "%s may not use %s", p.Dir, importPath(spec))
				}
			}
		}
	}
}

// mayImport says whether the package from, which stands at p in layer, may
// import the package to.
func mayImport(p place, layer int, from, to string, test bool) bool {
	_, toLayer, ok := locate(to)
	switch {
	case !ok:
		return true // reported where it stands
	case matchedBy(p.imports, to), sameTree(p, from, to):
		return true
	case test:
		return from == to || toLayer <= layer || matchedBy(harness, to)
	}
	return matchedBy(p.imports, below) && toLayer < layer
}

// mayUse says whether a package that stands at p may import a package outside
// this module.
func mayUse(p place, importPath string, test bool) bool {
	if first, _, _ := strings.Cut(importPath, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	for module := range strings.FieldsSeq(p.modules) {
		if within(module+"/...", importPath) {
			return true
		}
	}
	if test {
		for module := range strings.FieldsSeq(testModules) {
			if within(module+"/...", importPath) {
				return true
			}
		}
	}
	return false
}
