package crdt_test

import (
	"math"
	"testing"
	"time"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

var epoch = time.Unix(0, 0)

func lwwRegisterSubject() subject[*crdt.LWWRegister] {
	return subject[*crdt.LWWRegister]{
		zero: func() *crdt.LWWRegister { return new(crdt.LWWRegister) },
		act: func(t *rapid.T, r *crdt.LWWRegister, m *model) (*crdt.LWWRegister, facts) {
			clock, value := rapid.Int64Range(-3, 9).Draw(t, "clock"), item(t)
			carried := noFacts()
			stamp := clock
			if last, ok := latest(m.log, m.facts); ok {
				stamp = max(stamp, last.n+1)
			}
			carried.made[m.add(value, stamp)] = true
			return r.Set(m.id, epoch.Add(time.Duration(clock)), value), carried
		},
		show: func(r *crdt.LWWRegister) string {
			v, _ := r.Value()
			return v
		},
		want: func(l *log, f facts) string {
			last, _ := latest(l, f)
			return last.key
		},
	}
}

// latest returns the write that the rules prefer of those known: later, then
// of the greater replica, then of the greater value.
func latest(l *log, f facts) (best addition, ok bool) {
	for i, a := range l.additions {
		if !f.made[i] {
			continue
		}
		if !ok || a.n > best.n || a.n == best.n && (a.by > best.by || a.by == best.by && a.key > best.key) {
			best, ok = a, true
		}
	}
	return best, ok
}

func TestLWWRegisterFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, lwwRegisterSubject()) }
func TestLWWRegisterKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, lwwRegisterSubject()) }
func TestLWWRegisterConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, lwwRegisterSubject())
}
func FuzzLWWRegister(f *testing.F) { refusesHostileBytes(f, lwwRegisterSubject()) }

func TestLaterTimestampWinsWhateverTheOrderOfArrival(t *testing.T) {
	var a, b crdt.LWWRegister
	early := a.Set("a", epoch.Add(1), "early")
	late := b.Set("b", epoch.Add(2), "late")
	if !a.Join(late) || b.Join(early) {
		t.Error("the late value must replace the early one, not the reverse")
	}
	if v, _ := b.Value(); v != "late" || !a.Equal(&b) {
		t.Errorf("%q", v)
	}
}

func TestWriteFollowsWhatItsWriterHasSeenEvenIfTheClockIsBehind(t *testing.T) {
	var a, b crdt.LWWRegister
	b.Join(a.Set("a", epoch.Add(time.Hour), "from a fast clock"))
	a.Join(b.Set("b", epoch, "the answer"))
	if v, _ := a.Value(); v != "the answer" {
		t.Errorf("%q", v)
	}
	if by, at := a.Written(); by != "b" || !at.Equal(epoch.Add(time.Hour+1)) {
		t.Errorf("by %s at %s", by, at)
	}
}

func TestTimesOutsideTheRangeAreTheNearestInside(t *testing.T) {
	var r crdt.LWWRegister
	if by, at := r.Written(); by != "" || !at.IsZero() {
		t.Error("written before it was")
	}
	r.Set("a", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "past")
	if _, at := r.Written(); at.UnixNano() != math.MinInt64 {
		t.Error(at)
	}
	future := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	r.Set("a", future, "future")
	r.Set("b", future, "still later")
	if v, _ := r.Value(); v != "still later" {
		t.Errorf("at the end of time the greater replica must win: %q", v)
	}
	if _, at := r.Written(); at.UnixNano() != math.MaxInt64 {
		t.Error(at)
	}
}
