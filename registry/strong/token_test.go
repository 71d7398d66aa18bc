package strong

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func drawToken(t *rapid.T, label string) Token {
	n := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64())
	return Token{Epoch: n.Draw(t, label+" epoch"), Index: n.Draw(t, label+" index")}
}

func TestTokensAreOrderedByEpochThenIndex(t *testing.T) {
	ascending := []Token{{}, {0, 1}, {1, 0}, {1, 1}, {1, math.MaxUint64}, {2, 0}, {math.MaxUint64, 1}}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want || a.Less(b) != (want < 0) {
				t.Errorf("%v against %v: %d, less %v", a, b, got, a.Less(b))
			}
		}
		if a.IsZero() != (i == 0) {
			t.Errorf("%v.IsZero() = %v", a, a.IsZero())
		}
	}
}

func TestTokenSurvivesItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawToken(t, "token")
		got, err := ParseToken(want.String())
		if err != nil || got != want {
			t.Fatalf("%v became %v, %v", want, got, err)
		}
		text, err := json.Marshal(map[Token]Token{want: want})
		if err != nil {
			t.Fatal(err)
		}
		var back map[Token]Token
		if err := json.Unmarshal(text, &back); err != nil || back[want] != want {
			t.Fatalf("%s became %v, %v", text, back, err)
		}
	})
}

func TestMalformedTokensAreRefused(t *testing.T) {
	for _, s := range []string{"", ".", "1", "1.", ".1", "1.2.3", "-1.2", "+1.2", "01.2", "1.02", " 1.2", "1.2 ", "1.x", "0x1.2",
		"18446744073709551616.0", "1_0.2"} {
		if got, err := ParseToken(s); !errors.Is(err, ErrToken) {
			t.Errorf("%q became %v, %v", s, got, err)
		}
	}
	kept := Token{1, 2}
	if err := kept.UnmarshalText([]byte("no")); err == nil || kept != (Token{1, 2}) {
		t.Errorf("a failed UnmarshalText left %v, %v", kept, err)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("1.2")
	f.Add("0.18446744073709551615")
	f.Fuzz(func(t *testing.T, s string) {
		token, err := ParseToken(s)
		if err == nil && token.String() != s {
			t.Fatalf("%q became %v", s, token)
		}
	})
}

func TestFenceRefusesWhatIsOlderThanTheNewestSeen(t *testing.T) {
	var f Fence
	for _, step := range []struct {
		name    string
		token   Token
		refused bool
	}{
		{"a", Token{1, 5}, false},
		{"a", Token{1, 5}, false}, // the same owner again
		{"a", Token{1, 4}, true},
		{"b", Token{1, 4}, false}, // names have nothing to do with each other
		{"a", Token{2, 1}, false}, // a new epoch
		{"a", Token{1, 9}, true},
		{"a", Token{}, true},
		{"c", Token{}, false},
	} {
		err := f.Check(step.name, step.token)
		if (err != nil) != step.refused || err != nil && !errors.Is(err, ErrFenced) {
			t.Errorf("%s %v: %v", step.name, step.token, err)
		}
	}
	var fenced *FencedError
	if err := f.Check("a", Token{1, 9}); !errors.As(err, &fenced) || fenced.Newest != (Token{2, 1}) || fenced.Token != (Token{1, 9}) {
		t.Errorf("%v", err)
	}
	f.Forget("a")
	if got := f.Newest("a"); !got.IsZero() {
		t.Errorf("after Forget the newest is %v", got)
	}
	if err := f.Check("a", Token{1, 1}); err != nil {
		t.Error(err)
	}
}
