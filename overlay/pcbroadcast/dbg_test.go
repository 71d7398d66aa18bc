package pcbroadcast
import ("testing";"fmt";"time")
func TestDbgOneSeed(t *testing.T) {
	seed := *fromSeed
		w := newWorld(seed, 2+int(seed%11))
		w.stale = seed%2 == 0
		w.cfg.MaxBuffer = []int{0, 3, 30}[seed%3]
		w.grow()
		w.storm(120)
		w.recover()
	for _, s := range w.sites {
		fmt.Println(s.node, s.core.Stats(), s.core.alone())
		for _, l := range s.core.links { fmt.Printf("   %v out %d open %v due %v round %d wanted %d wire %v late %v astray %v\n", l.node, l.out, l.open, l.due.Sub(w.now), l.round, len(l.wanted), w.wires[pair(s.index,w.index(l.node))]!=nil, l.late, l.astray) }
	}
	fmt.Println(w.now.Sub(start), w.bound(-1,-1))
	_ = time.Second
}
