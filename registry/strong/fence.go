package strong

import (
	"errors"
	"fmt"
	"sync"
)

// ErrFenced is matched by every [*FencedError].
var ErrFenced = errors.New("strong: fenced off: the name has a newer owner")

// FencedError says that a token was refused because a newer one had been seen.
type FencedError struct {
	Name string
	// Token was refused, Newest had been seen.
	Token, Newest Token
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("%v: %q has been seen with token %v, this one is %v", ErrFenced, e.Name, e.Newest, e.Token)
}

// Is reports whether target is ErrFenced.
func (e *FencedError) Is(target error) bool { return target == ErrFenced }

// Fence remembers the highest token seen of each name and refuses lower ones:
// what a resource that owners of a name act upon must do, since an owner that
// was paused for a while does not know yet that it is none any more. The zero
// value is ready. It is safe for concurrent use.
//
// A Fence forgets when its program ends. What must hold beyond that, a store
// keeps beside the data, in the same transaction.
type Fence struct {
	mu     sync.Mutex
	newest map[string]Token
}

// Check returns nil if no token above this one has been seen for name, and
// remembers it; otherwise a [*FencedError].
func (f *Fence) Check(name string, token Token) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if newest := f.newest[name]; token.Less(newest) {
		return &FencedError{Name: name, Token: token, Newest: newest}
	}
	if f.newest == nil {
		f.newest = make(map[string]Token)
	}
	f.newest[name] = token
	return nil
}

// Newest returns the highest token seen of name, zero if none.
func (f *Fence) Newest(name string) Token {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.newest[name]
}

// Forget lets f forget name, whose owners will never come back.
func (f *Fence) Forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.newest, name)
}
