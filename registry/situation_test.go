package registry

import (
	"math/rand/v2"
	"testing"
	"time"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

func TestSituationDecidesWhatIsDoneAboutAChild(t *testing.T) {
	for _, c := range []struct {
		name string
		is   situation
		want action
	}{
		{"it is to run here and runs nowhere", situation{mine: true}, begin},
		{"another still has it", situation{mine: true, elsewhere: true}, await},
		{"it belongs elsewhere", situation{theirs: true}, leave},
		{"it runs where it belongs", situation{phase: running, mine: true}, leave},
		{"it runs twice, and belongs here", situation{phase: running, mine: true, elsewhere: true}, leave},
		{"it runs twice, and belongs elsewhere", situation{phase: running, theirs: true, elsewhere: true}, giveUp},
		{"it is to move", situation{phase: running, theirs: true, mayMove: true}, giveUp},
		{"it is to move, and too many do", situation{phase: running, theirs: true}, leave},
		{"it is starting and is to move", situation{phase: starting, theirs: true, mayMove: true}, giveUp},
		{"it is on its way already", situation{phase: stopping, theirs: true, mayMove: true}, leave},
		{"it is done and belongs elsewhere", situation{phase: done, theirs: true, mayMove: true}, giveUp},
		{"nobody is to run it", situation{phase: running, mayMove: true}, leave},
		{"nobody can run it", situation{}, leave},
	} {
		if got := c.is.act(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRestDoublesUpToTheLongest(t *testing.T) {
	for crashes, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 30 * time.Second, 1 << 30: 30 * time.Second,
	} {
		if got := rest(time.Second, 30*time.Second, crashes); got != want {
			t.Errorf("after %d crashes %v, want %v", crashes, got, want)
		}
	}
}
