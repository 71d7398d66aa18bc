package remote

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

// errDictionary is returned for a number that stands for nothing, or a word
// that a dictionary cannot have.
var errDictionary = errors.New("remote: not in the dictionary")

// speaker is the sending side of a dictionary, which lets words that are sent
// again and again, such as names of types, be sent as numbers. A word is sent
// together with its number until the other side has confirmed it, so the two
// may travel on any lane, and be lost, in any order.
//
// A speaker may be used by several goroutines. Its zero value is empty and
// ready for use.
type speaker struct {
	words atomic.Pointer[map[string]*word]
	mu    sync.Mutex // held while words is replaced
	byRef []*word    // ref-1; guarded by mu
}

type word struct {
	ref   uint32
	known atomic.Bool
}

// say returns how to send text: its number, if it has one, and the text itself
// unless the other side knows the number.
func (s *speaker) say(text string) (ref uint32, spelled string) {
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
func (s *speaker) add(text string) *word {
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

// confirm says that the other side knows ref. The error wraps errDictionary if
// that cannot be.
func (s *speaker) confirm(ref uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref == 0 || uint64(ref) > uint64(len(s.byRef)) {
		return fmt.Errorf("%w: confirmation of %d", errDictionary, ref)
	}
	s.byRef[ref-1].known.Store(true)
	return nil
}

// listener is the receiving side of a dictionary. It may be used by several
// goroutines. Its zero value is empty and ready for use.
type listener struct {
	words atomic.Pointer[[]string] // by ref-1; empty where there is none
	mu    sync.Mutex
}

// hear returns the word meant by what speaker.say has returned, and whether
// the speaker is to be told that its number is known.
func (l *listener) hear(ref uint32, spelled string) (text string, confirm bool, err error) {
	if ref == 0 {
		return spelled, false, nil
	}
	if words := l.words.Load(); words != nil && uint64(ref) <= uint64(len(*words)) {
		text = (*words)[ref-1]
	}
	switch {
	case spelled == "" && text == "":
		return "", false, fmt.Errorf("%w: %d", errDictionary, ref)
	case spelled == "":
		return text, false, nil
	case text == "":
		return spelled, true, l.learn(ref, spelled)
	case text != spelled:
		return "", false, fmt.Errorf("%w: %d is %q, and now %q", errDictionary, ref, text, spelled)
	}
	return text, true, nil
}

func (l *listener) learn(ref uint32, text string) error {
	if ref > maxWords || len(text) > maxWord {
		return fmt.Errorf("%w: %d with %d bytes", errDictionary, ref, len(text))
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
		return fmt.Errorf("%w: %d is %q, and now %q", errDictionary, ref, words[ref-1], text)
	}
	words[ref-1] = text
	l.words.Store(&words)
	return nil
}
