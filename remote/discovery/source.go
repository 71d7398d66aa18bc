package discovery

import (
	"context"
	"slices"
)

// Source knows where nodes may be. A Discovery calls Lookup from one goroutine
// at a time.
type Source interface {
	// Lookup returns all candidates that the source has. It must return soon
	// after ctx has ended. An error says that nothing, or not all, could be
	// found out; what comes with one is not looked at. The slice is the
	// caller's.
	Lookup(ctx context.Context) ([]string, error)
}

// Watcher is a [Source] that can tell when it should be looked up.
type Watcher interface {
	Source
	// Watch calls changed, which does not block, whenever Lookup may bring
	// something else than before, until ctx ends. An error says that it cannot
	// or cannot any more; it is tried again later, and polling goes on.
	Watch(ctx context.Context, changed func()) error
}

// Static is a list of candidates that never changes. The zero Static has none.
type Static []string

// Lookup implements [Source]. It never fails.
func (s Static) Lookup(context.Context) ([]string, error) { return slices.Clone(s), nil }

// Func is a function as a [Source].
type Func func(ctx context.Context) ([]string, error)

// Lookup calls f.
func (f Func) Lookup(ctx context.Context) ([]string, error) { return f(ctx) }
