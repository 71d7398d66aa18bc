package wire

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
)

// Limits of a dictionary: more than a program has types and names worth it, and
// little enough to be held for every node.
const (
	maxWords = 4096
	maxWord  = 1024
)

// ErrDictionary is returned for a number that stands for nothing, or a word
// that a dictionary cannot have.
var ErrDictionary = errors.New("wire: not in the dictionary")

// Speaker is the sending side of a dictionary, which lets words that are sent
// again and again, such as names of types, be sent as numbers. A word is sent
// together with its number until the other side has confirmed it, so the two
// may travel on any lane, and be lost, in any order.
//
// A Speaker may be used by several goroutines. Its zero value is empty and
// ready for use.
type Speaker struct {
	words atomic.Pointer[map[string]*word]
	mu    sync.Mutex // held while words is replaced
	byRef []*word    // ref-1; guarded by mu
}

type word struct {
	ref   uint32
	known atomic.Bool
}

// Say returns how to send text: its number, if it has one, and the text itself
// unless the other side knows the number.
func (s *Speaker) Say(text string) (ref uint32, spelled string) {
	if text == "" {
		return 0, ""
	}
	var w *word
	if words := s.words.Load(); words != nil {
		w = (*words)[text]
	}
	if w == nil {
		if w = s.add(text); w == nil {
			return 0, text
		}
	}
	if w.known.Load() {
		return w.ref, ""
	}
	return w.ref, text
}

// add gives text a number. It returns nil if there is no room.
func (s *Speaker) add(text string) *word {
	s.mu.Lock()
	defer s.mu.Unlock()
	var old map[string]*word
	if p := s.words.Load(); p != nil {
		old = *p
	}
	if w := old[text]; w != nil {
		return w
	}
	if len(s.byRef) == maxWords || len(text) > maxWord {
		return nil
	}
	words := make(map[string]*word, len(old)+1)
	maps.Copy(words, old)
	w := &word{ref: uint32(len(s.byRef) + 1)}
	words[text] = w
	s.byRef = append(s.byRef, w)
	s.words.Store(&words)
	return w
}

// Confirm says that the other side knows ref. The error wraps ErrDictionary if
// that cannot be.
func (s *Speaker) Confirm(ref uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref == 0 || uint64(ref) > uint64(len(s.byRef)) {
		return fmt.Errorf("%w: confirmation of %d", ErrDictionary, ref)
	}
	s.byRef[ref-1].known.Store(true)
	return nil
}

// Listener is the receiving side of a dictionary. It may be used by several
// goroutines. Its zero value is empty and ready for use.
type Listener struct {
	words atomic.Pointer[[]string] // by ref-1; empty where there is none
	mu    sync.Mutex
}

// Hear returns the word meant by what [Speaker.Say] has returned, and whether
// the speaker is to be told that its number is known.
func (l *Listener) Hear(ref uint32, spelled string) (text string, confirm bool, err error) {
	if ref == 0 {
		return spelled, false, nil
	}
	if words := l.words.Load(); words != nil && uint64(ref) <= uint64(len(*words)) {
		text = (*words)[ref-1]
	}
	switch {
	case spelled == "" && text == "":
		return "", false, fmt.Errorf("%w: %d", ErrDictionary, ref)
	case spelled == "":
		return text, false, nil
	case text == "":
		return spelled, true, l.learn(ref, spelled)
	case text != spelled:
		return "", false, fmt.Errorf("%w: %d is %q, and now %q", ErrDictionary, ref, text, spelled)
	}
	return text, true, nil
}

func (l *Listener) learn(ref uint32, text string) error {
	if ref > maxWords || len(text) > maxWord {
		return fmt.Errorf("%w: %d with %d bytes", ErrDictionary, ref, len(text))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var words []string
	if p := l.words.Load(); p != nil {
		words = append(words, *p...)
	}
	for len(words) < int(ref) {
		words = append(words, "")
	}
	if words[ref-1] != "" && words[ref-1] != text {
		return fmt.Errorf("%w: %d is %q, and now %q", ErrDictionary, ref, words[ref-1], text)
	}
	words[ref-1] = text
	l.words.Store(&words)
	return nil
}
