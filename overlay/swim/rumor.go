package swim

import (
	"slices"

	"github.com/topos-go/topos/overlay"
)

// rumor is a fact that is being spread.
type rumor struct {
	fact Fact
	// quiet rumors wait for messages that are sent anyway.
	quiet bool
}

// rumors are in the order in which they are sent: what was sent least often comes
// first, and of that what has waited longest.
type rumors struct {
	bySends [][]rumor
	count   int
	loud    int // those that are not quiet
}

// add begins to spread a fact. If there are max already, the one is dropped that
// was sent most often.
func (r *rumors) add(fact Fact, quiet bool, max int) {
	for s := len(r.bySends) - 1; s >= 0 && r.count >= max; s-- {
		if bucket := r.bySends[s]; len(bucket) > 0 {
			r.gone(bucket[0])
			r.bySends[s] = slices.Delete(bucket, 0, 1)
		}
	}
	if len(r.bySends) == 0 {
		r.bySends = append(r.bySends, nil)
	}
	r.bySends[0] = append(r.bySends[0], rumor{fact, quiet})
	r.count++
	if !quiet {
		r.loud++
	}
}

func (r *rumors) gone(x rumor) {
	r.count--
	if !x.quiet {
		r.loud--
	}
}

// drop ends all rumors about node.
func (r *rumors) drop(node overlay.Node) {
	if r.count == 0 {
		return
	}
	for s, bucket := range r.bySends {
		r.bySends[s] = slices.DeleteFunc(bucket, func(x rumor) bool {
			if x.fact.Node == node {
				r.gone(x)
				return true
			}
			return false
		})
	}
}

// take fills facts up to max with what is to be sent next, which counts as sent.
// A rumor is over when it was sent limit times.
func (r *rumors) take(facts []Fact, max, limit int) []Fact {
	for s := limit; s < len(r.bySends); s++ { // the group has become smaller
		for _, x := range r.bySends[s] {
			r.gone(x)
		}
		r.bySends[s] = nil
	}
	first := len(facts) // those before are said out of turn
	moved := make([]rumor, 0, max)
	var ends []int // of moved, by sends
	for s := 0; s < len(r.bySends); s++ {
		bucket := r.bySends[s]
		n := 0
		for ; n < len(bucket) && len(facts) < max; n++ {
			moved = append(moved, bucket[n])
			if !slices.Contains(facts[:first], bucket[n].fact) {
				facts = append(facts, bucket[n].fact)
			}
		}
		r.bySends[s] = slices.Delete(bucket, 0, n)
		ends = append(ends, len(moved))
		if len(facts) >= max {
			break
		}
	}
	from := 0
	for s, end := range ends {
		for _, x := range moved[from:end] {
			r.sent(x, s+1, limit)
		}
		from = end
	}
	return facts
}

func (r *rumors) sent(x rumor, sends, limit int) {
	if sends >= limit {
		r.gone(x)
		return
	}
	for len(r.bySends) <= sends {
		r.bySends = append(r.bySends, nil)
	}
	r.bySends[sends] = append(r.bySends[sends], x)
}
