package index

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

func TestTableHoldsWhatAMapHolds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	m, model := New[int, int](), make(map[string]int)
	for i := range 200_000 {
		key := fmt.Sprint(rnd.IntN(5000))
		switch rnd.IntN(5) {
		case 0, 1:
			m.Set(key, i, -i)
			model[key] = i
		case 2, 3:
			m.Delete(key)
			delete(model, key)
		default:
			got := m.Get(key)
			want, ok := model[key]
			if ok != (got != nil) || ok && *got != want {
				t.Fatalf("%s: %v, want %d, %v", key, got, want, ok)
			}
			whole, rest := m.Whole(key)
			if whole != got || ok != (rest != nil) || ok && *rest != -want {
				t.Fatalf("%s: %v and %v, want %d, %v", key, whole, rest, want, ok)
			}
		}
	}
	if m.Len() != len(model) {
		t.Errorf("%d keys, want %d", m.Len(), len(model))
	}
	n := 0
	for key, value := range m.All() {
		if model[key] != *value {
			t.Errorf("%s: %d, want %d", key, *value, model[key])
		}
		n++
	}
	if n != len(model) {
		t.Errorf("All has %d keys, want %d", n, len(model))
	}
	for range m.All() {
		break // and no more is yielded
	}
}

// Hashes that are all alike, and with an upper half of zero, as a deleted entry's slot
// has.
func TestKeysOfTheSameHashAreToldApart(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 1))
	m, model := New[int, int](), make(map[string]int)
	hash := func(key int) uint64 { return uint64(key%3) << 62 } // 0 is one
	for i := range 100_000 {
		n := rnd.IntN(60)
		key := fmt.Sprint(n)
		switch rnd.IntN(3) {
		case 0:
			m.set(hash(n), key, i, -i)
			model[key] = i
		case 1:
			m.remove(hash(n), key)
			delete(model, key)
		}
		value, rest := m.get(hash(n), key)
		want, ok := model[key]
		if ok != (value != nil) || ok && (*value != want || *rest != -want) {
			t.Fatalf("step %d: %s: %v and %v, want %d, %v", i, key, value, rest, want, ok)
		}
	}
	if m.Len() != len(model) {
		t.Errorf("%d keys, want %d", m.Len(), len(model))
	}
}

func TestReadersSeeEveryKeyThatIsNotChangedWhileOthersAre(t *testing.T) {
	m := New[int, struct{}]()
	for i := range 1000 {
		m.Set(fmt.Sprint("stays", i), i, struct{}{})
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := 0; ; i = (i + 1) % 1000 {
				select {
				case <-stop:
					return
				default:
				}
				if got := m.Get(fmt.Sprint("stays", i)); got == nil || *got != i {
					t.Errorf("key %d is %v", i, got)
					return
				}
			}
		})
	}
	for round := range 5 {
		for i := range 2000 {
			m.Set(fmt.Sprint("comes", i), round, struct{}{})
		}
		for i := range 2000 {
			m.Delete(fmt.Sprint("comes", i))
		}
	}
	close(stop)
	wg.Wait()
}

func TestAReaderNeverMissesAKeyThatIsSetAnewAllTheTime(t *testing.T) {
	m := New[int, int]()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 20 {
		m.Set(fmt.Sprint(i), 0, 0)
	}
	for range 2 {
		wg.Go(func() {
			for last := 0; ; {
				select {
				case <-stop:
					return
				default:
				}
				value, rest := m.Whole("7")
				if value == nil || *value < last || *rest != -*value {
					t.Errorf("after %d: %v and %v", last, value, rest)
					return
				}
				last = *value
			}
		})
	}
	for i := range 100_000 {
		m.Set("7", i, -i)
	}
	close(stop)
	wg.Wait()
}

func TestWhatWasDeletedIsNotKeptForLong(t *testing.T) {
	const many, stay, shards, slack = 10_000, 512, 256, 6
	m := New[*[1 << 10]byte, struct{}]()
	freed := make(chan struct{}, many)
	for i := range stay {
		m.Set(fmt.Sprint("stays", i), nil, struct{}{})
	}
	for i := range many {
		big := new([1 << 10]byte)
		runtime.AddCleanup(big, func(struct{}) { freed <- struct{}{} }, struct{}{})
		m.Set(fmt.Sprint("goes", i), big, struct{}{})
	}
	for i := range many {
		m.Delete(fmt.Sprint("goes", i))
	}
	if m.Len() != stay {
		t.Fatalf("%d are left", m.Len())
	}
	runtime.GC()
	for range many - stay - shards*slack {
		<-freed // or the test does not end
	}
	runtime.KeepAlive(m)
}
