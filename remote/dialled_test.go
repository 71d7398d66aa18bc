package remote

import (
	"testing"
	"testing/synctest"
)

// Who is reached over others only, and does not answer at its own address, is not believed to
// be dead when that refuses.
func TestWayOverOthersSaysNothingOfTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := quietNode(t)
		p := meet(n)
		for _, relayed := range []bool{true, false} {
			if !p.membership.dialled(&connection{relayed: relayed}) {
				t.Fatal("it is not taken over")
			}
			if p.dialled.Load() == relayed {
				t.Errorf("relayed %v: dialled at its own address %v", relayed, p.dialled.Load())
			}
		}
	})
}
