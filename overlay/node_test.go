package overlay

import (
	"slices"
	"testing"
)

func TestIncarnationsOfOneNameAreOrdered(t *testing.T) {
	old, young, twin := Node{"a@x:1", 1, "z"}, Node{"a@x:1", 2, "a"}, Node{"a@x:1", 2, "b"}
	other := Node{"b@x:1", 9, "z"}
	if !young.Newer(old) || !twin.Newer(young) || old.Newer(young) || young.Newer(young) {
		t.Error("a later start is not newer")
	}
	if other.Newer(old) || old.Newer(other) {
		t.Error("starts of different nodes are compared")
	}
	nodes := []Node{other, twin, young, old}
	slices.SortFunc(nodes, Node.Compare)
	if !slices.Equal(nodes, []Node{old, young, twin, other}) {
		t.Errorf("sorted: %v", nodes)
	}
}

func TestAddressIsPartOfTheName(t *testing.T) {
	for name, want := range map[string]string{"a@host:1": "host:1", "a@b@c": "b@c", "a": "", "a@": "", "@x": "x"} {
		n := Node{Name: name}
		if n.Addr() != want {
			t.Errorf("%q: got %q", name, n.Addr())
		}
		if ok := n.Valid() == nil; ok != (want != "" && name != "@x") {
			t.Errorf("%q: valid is %v", name, ok)
		}
	}
}

func TestNodeFormatsLikeTheKernels(t *testing.T) {
	if got := (Node{"a@x:1", 36, "u"}).String(); got != "a@x:1/10-u" {
		t.Errorf("got %q", got)
	}
	if got := (Node{}).String(); got != "" || !(Node{}).IsZero() {
		t.Errorf("got %q", got)
	}
}
