package actor

import (
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// TestSlabFindsWhatAMapWould runs random operations on a slab and on a map.
func TestSlabFindsWhatAMapWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s slab
		s.init()
		model := make(map[processID]*process)
		var ever []processID // every id that was ever given out
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "n") {
					p := new(process)
					id, ok := s.add(p)
					if !ok || id == 0 || id != p.id || model[id] != nil {
						t.Fatalf("add = %x, %v", id, ok)
					}
					model[id] = p
					ever = append(ever, id)
				}
			},
			"alias": func(t *rapid.T) {
				if len(ever) == 0 {
					t.Skip()
				}
				p := model[rapid.SampledFrom(ever).Draw(t, "id")]
				if p == nil {
					t.Skip()
				}
				own := p.id
				id, ok := s.add(p)
				if !ok || p.id != own || model[id] != nil {
					t.Fatalf("alias = %x", id)
				}
				model[id] = p
				ever = append(ever, id)
			},
			"remove": func(t *rapid.T) {
				if len(ever) == 0 {
					t.Skip()
				}
				id := rapid.SampledFrom(ever).Draw(t, "id")
				if got := s.remove(id); got != (model[id] != nil) {
					t.Fatalf("remove = %v", got)
				}
				delete(model, id)
			},
			"": func(t *rapid.T) {
				for _, id := range ever {
					if s.find(id) != model[id] {
						t.Fatalf("find %x = %p, want %p", id, s.find(id), model[id])
					}
				}
				if s.count() != len(model) {
					t.Fatalf("count = %d, want %d", s.count(), len(model))
				}
				seen := 0
				s.each(func(id processID, p *process) bool {
					if seen++; model[id] != p {
						t.Fatalf("each: %x", id)
					}
					return true
				})
				if seen != len(model) {
					t.Fatalf("each saw %d of %d", seen, len(model))
				}
			},
		})
	})
}

func TestSlabFindsNobodyByIDsThatWereNeverGivenOut(t *testing.T) {
	var s slab
	s.init()
	p := new(process)
	_, _ = s.add(p)
	for _, id := range []processID{0, 1, makeProcessID(0, 2), makeProcessID(0, lastGeneration), makeProcessID(1, 1),
		makeProcessID(slabPageSlots, 1), makeProcessID(maxSlots-1, 1), 1<<64 - 1} {
		if s.find(id) != nil {
			t.Errorf("found somebody by %x", id)
		}
	}
	n := 0
	s.each(func(processID, *process) bool { n++; return false })
	if n != 1 {
		t.Errorf("each went on after false")
	}
}

func TestSlotWhoseGenerationsAreUsedUpIsRetired(t *testing.T) {
	var s slab
	s.init()
	p := new(process)
	id, _ := s.add(p)
	s.slot(id.slot()).id.Store(uint64(makeProcessID(id.slot(), lastGeneration))) // 68 thousand million spawns later
	last := makeProcessID(id.slot(), lastGeneration)
	if s.find(last) != p || !s.remove(last) || s.remove(last) {
		t.Fatal("the last generation is not like the others")
	}
	for range 3 * slabPageSlots {
		q := new(process)
		next, ok := s.add(q)
		if !ok || next.slot() == id.slot() {
			t.Fatalf("slot %d was given out again as %x", id.slot(), next)
		}
	}
	for generation := range uint64(3) {
		if s.find(makeProcessID(id.slot(), generation)) != nil {
			t.Errorf("generation %d is found", generation)
		}
	}
}

func TestSlabIsFullAtItsLimit(t *testing.T) {
	var s slab
	s.init()
	s.next = maxSlots
	if id, ok := s.add(new(process)); ok {
		t.Errorf("add = %x", id)
	}
}

// TestSlabNeverFindsAnotherProcessUnderContention has readers look for ids that come and go: they must find the
// right process or none.
func TestSlabNeverFindsAnotherProcessUnderContention(t *testing.T) {
	var s slab
	s.init()
	ids := make(chan processID, 1024)
	var writers, readers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for range 10_000 {
				p := new(process)
				id, _ := s.add(p)
				select {
				case ids <- id:
				default:
				}
				s.remove(id)
			}
		})
		readers.Go(func() {
			for id := range ids {
				if p := s.find(id); p != nil && p.id != id {
					t.Errorf("%x found %x", id, p.id)
				}
			}
		})
	}
	writers.Wait()
	close(ids)
	readers.Wait()
}
