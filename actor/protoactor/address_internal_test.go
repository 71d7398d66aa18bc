package protoactor

import (
	"testing"
	"unique"

	"github.com/topos-go/topos/actor"
)

func TestAddressesAreReadBackFromTheirPIDs(t *testing.T) {
	b := new(Bridge)
	node := unique.Make(actor.NodeID{Name: "a@h:1", Incarnation: actor.Incarnation{Boot: 7, Unique: "x"}})
	for _, to := range []actor.Address{
		actor.MakePID(node, 1<<28|5), actor.Name("x"), actor.Name("at/x|y"), actor.ClusterName("<x>"),
		actor.NameAt{Name: "x|y", Node: "a@h:1"},
	} {
		pid := b.ProtoPID(to)
		if got, ok := parse(pid.Id); got != to || !ok || pid.Address != toposAddress {
			t.Errorf("%v has become %v, %v", to, got, ok)
		}
	}
	for _, to := range []actor.Address{actor.PID{}, actor.Name(""), actor.ClusterName(""), actor.NameAt{}} {
		if got, ok := parse(b.ProtoPID(to).Id); ok {
			t.Errorf("%#v, which is nobody, has become %v", to, got)
		}
	}
}

// FuzzParse sees that no id makes parse panic, and that what it accepts is what
// ProtoPID writes.
func FuzzParse(f *testing.F) {
	for _, id := range []string{"<a/0-/1.1>", "name/x", "cluster/x", "at/n|x", "reply/n/1", "<", "at/", ""} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		to, ok := parse(id)
		if !ok {
			return
		}
		again, ok := parse(new(Bridge).ProtoPID(to).Id)
		if !ok || again != to {
			t.Errorf("%q is read as %v, written and read again as %v, %v", id, to, again, ok)
		}
	})
}
