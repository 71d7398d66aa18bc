package remote

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/actor"
)

// A naive stage: what waits, as a list.
type naive struct {
	number int
	key    string
	letter bool
	size   int
}

func (n naive) outgoing() (outgoing, sameKey) {
	same := sameKey{key: n.key}
	m := outgoing{shard: uint32(n.number), frame: make([]byte, n.size)}
	if n.letter {
		m.letter = &letter{same, actor.Signal{Msg: n.number}}
	}
	return m, same
}

func TestStageKeepsTheOrderOfEachKeyAndTheNewestOfTheRest(t *testing.T) {
	for name, monotonic := range map[string]bool{"monotonic": true, "plain": false} {
		t.Run(name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { againstNaive(t, monotonic) }) })
	}
}

func againstNaive(t *rapid.T, monotonic bool) {
	s := stage{monotonic: monotonic}
	var model []naive
	number := 0
	t.Repeat(map[string]func(*rapid.T){
		"push": func(t *rapid.T) {
			number++
			n := naive{
				number: number,
				key:    rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key"),
				letter: rapid.IntRange(0, 3).Draw(t, "letter") > 0,
				size:   rapid.IntRange(1, 9).Draw(t, "size"),
			}
			replaced := s.push(n.outgoing())
			want := -1
			if monotonic && n.letter {
				// The last one with the same key, if it may be replaced.
				for i := len(model) - 1; i >= 0; i-- {
					if model[i].key == n.key {
						if model[i].letter {
							want = i
						}
						break
					}
				}
			}
			if want < 0 {
				if model = append(model, n); replaced != nil {
					t.Fatalf("%v was replaced", replaced.sig.Msg)
				}
				return
			}
			if replaced == nil || replaced.sig.Msg != model[want].number {
				t.Fatalf("%v was replaced, not %d", replaced, model[want].number)
			}
			model[want] = n
		},
		"pop": func(t *rapid.T) {
			if len(model) == 0 {
				t.Skip("empty")
			}
			if m := s.pop(); int(m.shard) != model[0].number {
				t.Fatalf("%d came out, not %d", m.shard, model[0].number)
			}
			model = model[1:]
		},
		"drop": func(t *rapid.T) {
			i := slices.IndexFunc(model, func(n naive) bool { return n.letter })
			dropped := s.drop()
			if (dropped == nil) != (i < 0) {
				t.Fatalf("dropped %v, want %d", dropped, i)
			}
			if i >= 0 {
				if dropped.sig.Msg != model[i].number {
					t.Fatalf("dropped %v, not %d", dropped.sig.Msg, model[i].number)
				}
				model = slices.Delete(model, i, i+1)
			}
		},
		"": func(t *rapid.T) {
			size := 0
			for _, n := range model {
				size += n.size
			}
			if s.bytes != size || s.empty() != (len(model) == 0) {
				t.Fatalf("%d bytes, want %d", s.bytes, size)
			}
			for key, at := range s.newest {
				if at < s.first || at >= s.first+len(s.queue) || s.queue[at-s.first].letter.key != key {
					t.Fatalf("the newest %v is not at %d", key, at)
				}
			}
		},
	})
}
