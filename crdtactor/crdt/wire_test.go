package crdt_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// requireMalformed fails unless each encoding is refused and the receiver kept.
func requireMalformed[T any, S interface {
	*T
	crdt.State[S]
}](t *testing.T, encodings map[string]string) {
	t.Helper()
	for what, data := range encodings {
		if s, err := crdt.Decode[T, S]([]byte(data)); !errors.Is(err, crdt.ErrMalformed) || s != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestHostileLengthsTakeNoMemory(t *testing.T) {
	huge := "\xff\xff\xff\xff\xff\xff\xff\xff\x3f"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, head := range []string{"P", "G", "E", "A", "C", "S", "MS", "X", "D", "F\x01\x01a\x01\x00\x00", "C\x01\x01a\x01\x00\x00",
		"C\x01\x01a", "P\x01", "L", "E\x01", "S\x01\x01a\x01\x00\x00\x01", "D\x01\x01a\x01\x00\x00"} {
		data := []byte(head + huge + strings.Repeat("\x01", 100))
		for _, s := range []interface{ UnmarshalBinary([]byte) error }{
			new(crdt.PNCounter), new(crdt.GCounter), new(crdt.GSet), new(crdt.MaxMap), new(crdt.Cart), new(crdt.ORSet),
			new(crdt.ORMap[*crdt.ORSet]), new(crdt.CausalContext), new(crdt.Digest), new(crdt.EnableFlag), new(crdt.LWWRegister),
		} {
			if err := s.UnmarshalBinary(data); !errors.Is(err, crdt.ErrMalformed) {
				t.Errorf("%T takes %q: %v", s, head, err)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("took %d bytes", took)
	}
}
