package actor

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoConstructor is returned by a spawn on a node that has no constructor of
// that name.
var ErrNoConstructor = errors.New("actor: no such constructor")

// Constructor makes an actor, and says how to spawn it, from the arguments that
// a spawn by its name gives: on this node or, if they can be encoded, on another
// one. Code does not travel, so each node names in [Config.Constructors] what
// others may spawn there. It may be called by several goroutines at a time.
type Constructor func(args any) (Actor, []SpawnOption, error)

// construct calls the constructor called name.
func (s *System) construct(name string, args any) (a Actor, opts []SpawnOption, err error) {
	construct := s.constructors[name]
	if construct == nil {
		return nil, nil, fmt.Errorf("%w: %q", ErrNoConstructor, name)
	}
	defer func() {
		if v := recover(); v != nil {
			err = NewPanicError(v)
		}
	}()
	return construct(args)
}

// SpawnAt starts a process on the node called node, by one of its constructors,
// and returns when its Init has returned. Without an Incarnation the NodeID
// means the one that runs now; on the own node it is [Self.Spawn].
//
// The error is ErrNoConstructor, the constructor's, Init's, ErrNoConnection if
// the node is lost before the answer has come, or ErrTimeout when ctx's deadline
// passes, without one after [DefaultCallTimeout]; then the process may have
// started, or still do so.
func (s *Self) SpawnAt(ctx context.Context, node NodeID, constructor string, args any) (PID, error) {
	pid, _, err := s.sys.spawnAt(ctx, s.proc(), node, constructor, args, ties{})
	return pid, err
}

// SpawnLinkAt is [Self.SpawnAt] with a link. This process is the new one's
// parent. After an error there is no process: one that starts too late gets an
// exit signal.
func (s *Self) SpawnLinkAt(ctx context.Context, node NodeID, constructor string, args any) (PID, error) {
	pid, _, err := s.sys.spawnAt(ctx, s.proc(), node, constructor, args, ties{link: true})
	return pid, err
}

// SpawnMonitorAt is [Self.SpawnAt] with a monitor.
func (s *Self) SpawnMonitorAt(ctx context.Context, node NodeID, constructor string, args any) (PID, MonitorRef, error) {
	return s.sys.spawnAt(ctx, s.proc(), node, constructor, args, ties{watch: true})
}

// SpawnAt is [Self.SpawnAt] from outside any process.
func (s *System) SpawnAt(ctx context.Context, node NodeID, constructor string, args any) (PID, error) {
	pid, _, err := s.spawnAt(ctx, nil, node, constructor, args, ties{})
	return pid, err
}

// StartAt returns a [StartFunc] for a child on another node, or on whichever
// node is called node; see [Self.SpawnLinkAt]. A dynamic child's arguments, if
// there are any, take the place of args: one by itself, several as a []any.
func StartAt(node NodeID, constructor string, args any) StartFunc {
	return func(parent *Self, dynamic ...any) (PID, error) {
		with := args
		switch len(dynamic) {
		case 0:
		case 1:
			with = dynamic[0]
		default:
			with = dynamic
		}
		return parent.SpawnLinkAt(parent.proc().lifeContext(), node, constructor, with)
	}
}

// ties are what binds a spawned process to its parent.
type ties struct{ link, watch bool }

// spawnAt asks node for a process.
func (s *System) spawnAt(ctx context.Context, parent *process, node NodeID, constructor string, args any, tied ties) (PID, MonitorRef, error) {
	pid, ref, err := PID{}, MonitorRef{}, contextCause(ctx)
	if own := s.node.Value(); err != nil {
		// Nothing is asked for.
	} else if node == own || node == (NodeID{Name: own.Name}) {
		pid, ref, err = s.spawnHere(ctx, parent, constructor, args, tied)
	} else {
		pid, ref, err = s.spawnThere(ctx, parent, node, constructor, args, tied)
	}
	if err != nil {
		return PID{}, MonitorRef{}, fmt.Errorf("spawn of %q on %v: %w", constructor, node.Name, err)
	}
	return pid, ref, nil
}

// contextCause returns why ctx has ended, if it has.
func contextCause(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTimeout
	}
	return context.Cause(ctx)
}

func (s *System) spawnHere(ctx context.Context, parent *process, constructor string, args any, tied ties) (PID, MonitorRef, error) {
	a, opts, err := s.construct(constructor, args)
	if err != nil {
		return PID{}, MonitorRef{}, err
	}
	var ref MonitorRef
	var watch *MonitorRef
	if tied.watch {
		watch = &ref
	}
	p, err := s.spawn(ctx, parent, a, tied.link, watch, opts)
	if err != nil {
		return PID{}, MonitorRef{}, err
	}
	return p.pid(), ref, nil
}
