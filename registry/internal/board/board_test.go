package board_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/registry/internal/board"
)

func TestBoardRunsWhatIsPostedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := board.New()
		var got, want []int
		post := func(i int) {
			want = append(want, i)
			b.Post(func() { got = append(got, i) })
		}
		for i := range 10 {
			post(i) // before it is started
		}
		b.Start()
		for i := range 100 {
			post(i)
		}
		synctest.Wait()
		if !slices.Equal(got, want) {
			t.Errorf("it ran %v", got)
		}
		b.Close()
	})
}

func TestClosedBoardBeginsNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := board.New()
		b.Start()
		ran := 0
		b.Post(func() {
			ran++
			time.Sleep(time.Second)
		})
		b.Post(func() { ran++ })
		synctest.Wait()
		begun := time.Now()
		b.Close()
		if ran != 1 || time.Since(begun) != time.Second {
			t.Errorf("%d ran, and Close took %v", ran, time.Since(begun))
		}
	})
}
