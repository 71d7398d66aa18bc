package plumtree
import ("testing";"time")
func TestExp(t *testing.T) {
	for _, th := range []int{2,3,4,100} {
	for _, fresh := range []bool{false,true} {
		w := newWorld(t, 1, 1000, Config{Threshold: th})
		var r round
		if !fresh {
		for range 5 { r = w.measure(0, 2*time.Second) }
		so := w.total().Optimized
		t.Logf("th %d single hop %d opt %d", th, r.lastHop, so)
		}
		senders := []int{1,100,200,300,400,500,600,700,800,900}
		if !fresh {
		sum:=0; red:=0.0
		before := w.total()
		for i := range 60 {
			m := w.measure(senders[i%10], 1*time.Second)
			if i >= 20 {sum += m.lastHop; red += m.redundancy}
		}
		mid := w.total()
		t.Logf("th %d: multi hop %.1f rmr %.3f opt/msg %.1f", th, float64(sum)/40, red/40, float64(mid.Optimized-before.Optimized)/60)
		}
		// overlapping
		for range 4 {
		mid := w.total()
		for i := range 50 {
			w.broadcast(senders[i%10]); w.run(20*time.Millisecond)
		}
		after := w.total()
		dup := after.Duplicates-mid.Duplicates
		both, one := w.eagerLinks()
		t.Logf("th %d fresh %v:  overlap rmr %.3f opt/msg %.1f grafts/msg %.1f eager %d+%d", th, fresh,  float64(dup)/50/999, float64(after.Optimized-mid.Optimized)/50, float64(after.GraftSent-mid.GraftSent)/50, both, one)
		}
	}}
}
