package remote

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is lost or overtaken on the way, every word is understood.
func TestWordsAreUnderstoodWhateverIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s speaker
		var l listener
		type saying struct {
			ref           uint32
			spelled, text string
		}
		var onTheWay []saying
		var confirms []uint32
		t.Repeat(map[string]func(*rapid.T){
			"say": func(t *rapid.T) {
				text := rapid.SampledFrom([]string{"", "a", "b", "cc"}).Draw(t, "text")
				ref, spelled := s.say(text)
				onTheWay = append(onTheWay, saying{ref, spelled, text})
			},
			"hear": func(t *rapid.T) {
				if len(onTheWay) == 0 {
					t.Skip("nothing to hear")
				}
				i := rapid.IntRange(0, len(onTheWay)-1).Draw(t, "which")
				m := onTheWay[i]
				onTheWay = append(onTheWay[:i], onTheWay[i+1:]...)
				text, again, err := l.hear(m.ref, m.spelled)
				if text != m.text || err != nil {
					t.Fatalf("heard %q, %v instead of %q", text, err, m.text)
				}
				if again && rapid.Bool().Draw(t, "confirmation arrives") {
					confirms = append(confirms, m.ref)
				}
			},
			"confirm": func(t *rapid.T) {
				for _, ref := range confirms {
					if err := s.confirm(ref); err != nil {
						t.Fatal(err)
					}
				}
				confirms = nil
			},
		})
	})
}

func TestConfirmedWordIsSentAsItsNumber(t *testing.T) {
	var s speaker
	var l listener
	ref, spelled := s.say("a.long.TypeName")
	if _, again, err := l.hear(ref, spelled); !again || err != nil {
		t.Fatal(again, err)
	}
	if err := s.confirm(ref); err != nil {
		t.Fatal(err)
	}
	if ref, spelled = s.say("a.long.TypeName"); ref == 0 || spelled != "" {
		t.Errorf("said as %d, %q", ref, spelled)
	}
	if allocs := testing.AllocsPerRun(100, func() { ref, _ = s.say("a.long.TypeName"); _, _, _ = l.hear(ref, "") }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestDictionaryIsBoundedOnBothSides(t *testing.T) {
	var s speaker
	for i := range maxWords {
		if ref, _ := s.say(fmt.Sprint(i)); ref != uint32(i+1) {
			t.Fatalf("%d has the number %d", i, ref)
		}
	}
	if ref, spelled := s.say("one more"); ref != 0 || spelled != "one more" {
		t.Errorf("said as %d, %q", ref, spelled)
	}
	if ref, _ := new(speaker).say(strings.Repeat("x", maxWord+1)); ref != 0 {
		t.Error("a word of any length has a number")
	}
	var l listener
	for _, bad := range []struct {
		ref     uint32
		spelled string
	}{{1, ""}, {maxWords + 1, "x"}, {1 << 31, "x"}, {1, strings.Repeat("x", maxWord+1)}} {
		if _, _, err := l.hear(bad.ref, bad.spelled); !errors.Is(err, errDictionary) {
			t.Errorf("%d: %v", bad.ref, err)
		}
	}
	_, _, _ = l.hear(1, "x")
	if _, _, err := l.hear(1, "y"); !errors.Is(err, errDictionary) {
		t.Errorf("a word may change: %v", err)
	}
	for _, ref := range []uint32{0, maxWords + 1} {
		if err := s.confirm(ref); !errors.Is(err, errDictionary) {
			t.Errorf("confirmation of %d: %v", ref, err)
		}
	}
}

func TestWordsCanBeSaidAndHeardByMany(t *testing.T) {
	var s speaker
	var l listener
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 300 {
				word := fmt.Sprint(i)
				ref, spelled := s.say(word)
				if text, again, err := l.hear(ref, spelled); text != word || err != nil {
					t.Errorf("heard %q, %v instead of %q", text, err, word)
				} else if again {
					_ = s.confirm(ref)
				}
			}
		})
	}
	all.Wait()
}

func FuzzListener(f *testing.F) {
	f.Add(uint32(1), "type", uint32(1), "")
	f.Add(uint32(0), "", uint32(5000), "x")
	f.Fuzz(func(t *testing.T, ref1 uint32, word1 string, ref2 uint32, word2 string) {
		var l listener
		text1, _, err1 := l.hear(ref1, word1)
		if err1 == nil && word1 != "" && text1 != word1 {
			t.Fatalf("heard %q instead of %q", text1, word1)
		}
		text2, _, err2 := l.hear(ref2, word2)
		if err1 == nil && err2 == nil && ref1 == ref2 && ref1 != 0 && text1 != text2 {
			t.Fatalf("%d is %q and %q", ref1, text1, text2)
		}
		if words := l.words.Load(); words != nil && len(*words) > maxWords {
			t.Fatal("it grows without bound")
		}
	})
}
