package index_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/topos-go/topos/registry/internal/index"
)

func TestTableHoldsWhatAMapHolds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	m, model := index.New[int](), make(map[string]int)
	for i := range 200_000 {
		key := fmt.Sprint(rnd.IntN(5000))
		switch rnd.IntN(5) {
		case 0, 1:
			m.Set(key, i)
			model[key] = i
		case 2, 3:
			m.Delete(key)
			delete(model, key)
		default:
			got := m.Get(key)
			if want, ok := model[key]; ok != (got != nil) || ok && *got != want {
				t.Fatalf("%s: %v, want %d, %v", key, got, want, ok)
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

func TestReadersSeeEveryKeyThatIsNotChangedWhileOthersAre(t *testing.T) {
	m := index.New[int]()
	for i := range 1000 {
		m.Set(fmt.Sprint("stays", i), i)
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
			m.Set(fmt.Sprint("comes", i), round)
		}
		for i := range 2000 {
			m.Delete(fmt.Sprint("comes", i))
		}
	}
	close(stop)
	wg.Wait()
}
