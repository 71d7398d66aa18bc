package crdt_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// FuzzLineageIsTakenApartAsItWasPutTogether has the parser of the standard
// library beside that of ids.
func FuzzLineageIsTakenApartAsItWasPutTogether(f *testing.F) {
	for _, id := range []string{"", "a", "#", "a#", "a#1", "a#b#zz", "a#3w5e11264sgsf", "a#3w5e11264sgsg", "a#3W5E11264SGSF", "a#zzzzzzzzzzzzzz", "a#1_0", "a#+1", "a#[", "a#é"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		lineage, start, ok := crdt.ReplicaID(id).Lineage()
		i := strings.LastIndexByte(id, '#')
		want, err := strconv.ParseUint(id[i+1:], 36, 64)
		if ok != (i >= 0 && err == nil) {
			t.Fatalf("%q has a lineage: %v", id, ok)
		}
		if ok && (lineage != id[:i] || start != want) {
			t.Fatalf("%q is of %q, start %d", id, lineage, start)
		}
	})
}
