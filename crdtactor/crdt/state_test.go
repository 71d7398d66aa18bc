package crdt_test

import (
	"sync"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// What each type promises to be.
var (
	_ = []crdt.State[*crdt.GCounter]{(*crdt.GCounter)(nil)}
	_ = []crdt.State[*crdt.PNCounter]{(*crdt.PNCounter)(nil)}
	_ = []crdt.State[*crdt.LWWRegister]{(*crdt.LWWRegister)(nil)}
	_ = []crdt.State[*crdt.MVRegister]{(*crdt.MVRegister)(nil)}
	_ = []crdt.State[*crdt.GSet]{(*crdt.GSet)(nil)}
	_ = []crdt.State[*crdt.ORSet]{(*crdt.ORSet)(nil)}
	_ = []crdt.State[*crdt.EnableFlag]{(*crdt.EnableFlag)(nil)}
	_ = []crdt.State[*crdt.MaxMap]{(*crdt.MaxMap)(nil)}
	_ = []crdt.State[*crdt.Tally]{(*crdt.Tally)(nil)}
	_ = []crdt.State[*crdt.Cart]{(*crdt.Cart)(nil)}
	_ = []crdt.State[*setMap]{(*setMap)(nil)}

	_ = []crdt.Digester[*crdt.GCounter]{(*crdt.GCounter)(nil)}
	_ = []crdt.Digester[*crdt.PNCounter]{(*crdt.PNCounter)(nil)}
	_ = []crdt.Digester[*crdt.MVRegister]{(*crdt.MVRegister)(nil)}
	_ = []crdt.Digester[*crdt.ORSet]{(*crdt.ORSet)(nil)}
	_ = []crdt.Digester[*crdt.EnableFlag]{(*crdt.EnableFlag)(nil)}
	_ = []crdt.Digester[*crdt.Tally]{(*crdt.Tally)(nil)}
	_ = []crdt.Digester[*crdt.Cart]{(*crdt.Cart)(nil)}
	_ = []crdt.Digester[*setMap]{(*setMap)(nil)}

	_ = []crdt.Compactor[*crdt.Tally]{(*crdt.Tally)(nil)}
	_ = []crdt.Compactor[*crdt.Cart]{(*crdt.Cart)(nil)}
	_ = []crdt.Compactor[*setMap]{(*setMap)(nil)}
)

// With the race detector this fails if anything that reads a state writes to it.
func TestSeveralMayReadOneState(t *testing.T) {
	cart := cartOf(20)
	cart.Remove(id(1), "item-00003")
	data, _ := cart.MarshalBinary()
	unindexed, err := crdt.Decode[crdt.Cart](data)
	if err != nil {
		t.Fatal(err)
	}
	counter := new(crdt.PNCounter)
	counter.Add("a", 1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, c := range []*crdt.Cart{cart, unindexed} {
				new(crdt.Cart).Join(c)
				c.DeltaSince(c.Digest())
				c.Clone().Add(id(2), "more", 1)
				c.Equal(cart)
				c.MarshalBinary()
				c.Len()
				for item := range c.All() {
					c.Quantity(item)
				}
			}
			new(crdt.PNCounter).Join(counter)
			counter.DeltaSince(counter.Digest())
			counter.Share("a")
			counter.Value()
		})
	}
	wg.Wait()
}
