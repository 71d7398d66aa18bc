package rpc

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTableAgreesWithOneThatForgetsNothing holds the table against a record of
// everything that has ever been begun: whatever tries come, none is begun twice,
// none gets another's answer, and the window's bounds hold.
func TestTableAgreesWithOneThatForgetsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := Window{
			Entries:  rapid.IntRange(1, 5).Draw(t, "entries"),
			Age:      time.Duration(rapid.IntRange(1, 20).Draw(t, "age")) * time.Second,
			Sessions: rapid.IntRange(1, 3).Draw(t, "sessions"),
		}
		table, now := newTable(window), time.Unix(1000, 0)
		type id struct {
			session, seq uint64
			key          string
		}
		begun := make(map[id]*entry) // ever, by number and by key
		var live []*entry
		var sessions []uint64
		keyIssued := make(map[string]time.Time)
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) { sessions = append(sessions, table.open(now)) },
			"try": func(t *rapid.T) {
				if len(sessions) == 0 {
					t.Skip()
				}
				r := &Request{Session: rapid.SampledFrom(sessions).Draw(t, "session"), Seq: rapid.Uint64Range(1, 12).Draw(t, "seq"),
					Done: rapid.Uint64Range(0, 8).Draw(t, "done")}
				if rapid.Bool().Draw(t, "keyed") {
					r.Key = rapid.SampledFrom([]string{"j", "k", "l"}).Draw(t, "key")
					if keyIssued[r.Key].IsZero() {
						keyIssued[r.Key] = now
					}
					r.Issued = keyIssued[r.Key]
				}
				byNumber, byKey := begun[id{r.Session, r.Seq, ""}], begun[id{key: r.Key}]
				e, s := table.begin(now, r)
				switch s {
				case fresh:
					if byNumber != nil || r.Key != "" && byKey != nil {
						t.Fatalf("%+v was begun a second time", r)
					}
					begun[id{r.Session, r.Seq, ""}] = e
					if r.Key != "" {
						begun[id{key: r.Key}] = e
					}
					live = append(live, e)
				case running, over:
					if e != byNumber && (r.Key == "" || e != byKey) {
						t.Fatalf("%+v got the answer of another request", r)
					}
				}
			},
			"end": func(t *rapid.T) {
				if len(live) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(live)-1).Draw(t, "which")
				table.end(now, live[i], answer{value: i})
				live = append(live[:i], live[i+1:]...)
			},
			"undo": func(t *rapid.T) {
				if len(live) == 0 {
					t.Skip()
				}
				e := live[len(live)-1]
				live = live[:len(live)-1]
				table.undo(e)
				delete(begun, id{e.session.id, e.seq, ""})
				delete(begun, id{key: e.key})
			},
			"pass": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "seconds")) * time.Second)
				table.sweep(now)
			},
			"": func(t *rapid.T) {
				if n := table.size(); n > window.Entries {
					t.Fatalf("%d answers are kept, more than %d", n, window.Entries)
				}
				for _, e := range live {
					if table.find(e.session.id, e.seq) != e {
						t.Fatalf("a running request is not found: %+v", e)
					}
				}
				held := 0
				for _, s := range table.sessions {
					held += len(s.entries)
				}
				if held > table.size()+len(live) {
					t.Fatalf("%d entries are held for %d answers and %d running", held, table.size(), len(live))
				}
			},
		})
	})
}

func TestAnswersThatNobodyNeedsAreForgottenAtOnce(t *testing.T) {
	table, now := newTable(Window{Entries: 1 << 20, Age: time.Hour, Sessions: 1}), time.Unix(0, 0)
	session := table.open(now)
	for seq := uint64(1); seq <= 100_000; seq++ {
		e, s := table.begin(now, &Request{Session: session, Seq: seq, Done: seq})
		if s != fresh {
			t.Fatalf("request %d: %v", seq, s)
		}
		table.end(now, e, answer{})
	}
	if table.size() != 1 {
		t.Errorf("%d answers are kept", table.size())
	}
	if _, s := table.begin(now, &Request{Session: session, Seq: 50_000}); s != forgotten {
		t.Errorf("an old request: %v", s)
	}
}
